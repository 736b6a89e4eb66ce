// @ts-check
/** The composer's inputs: reading and writing them, what is wrong with them, and where that is said. */

import { find } from "./dom.js";
import { length } from "./format.js";
import { outputSize } from "./sizes.js";

/** @import {Model} from "./protocol.js" */

export const PROMPT_MOST = 2000;
const SEED_MOST = 4_294_967_295;
const RATIOS = ["1:1", "3:4", "4:3", "9:16", "16:9"];
const SCALES = [512, 768, 1024];

export const DRAFT_FIELDS = [
  "prompt", "negative_prompt", "ratio", "scale", "width", "height", "n", "seed", "steps", "guidance", "model",
];

/** @typedef {{code: string, field: string, message?: string}} Wrong */
/** @typedef {Record<string, string | number>} Content the fields of `generate` */

/**
 * @typedef {object} Settings what a task was or shall be made with
 * @property {string} [prompt]
 * @property {string} [negative_prompt]
 * @property {string} model
 * @property {number} width
 * @property {number} height
 * @property {number} n
 * @property {number} steps
 * @property {number} guidance
 * @property {number | null} [seed]
 */

export class Fields {
  #form;
  #lock;
  /** @type {() => Model[]} */
  #models;

  /**
   * @param {HTMLFormElement} form
   * @param {() => Model[]} models those that can be asked for now
   */
  constructor(form, models) {
    this.#form = form;
    this.#models = models;
    this.#lock = find(form, "[data-lock]", HTMLButtonElement);
  }

  /** @param {string} name */
  value(name) {
    const input = this.#form.elements.namedItem(name);
    return input && "value" in input ? String(input.value) : "";
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  set(name, value) {
    if (name === "model" && !this.#models().some((model) => model.name === value)) return;
    const input = this.#form.elements.namedItem(name);
    if (input instanceof RadioNodeList || input instanceof HTMLInputElement) input.value = value;
    else if (input instanceof HTMLTextAreaElement || input instanceof HTMLSelectElement) input.value = value;
  }

  /** Whether the seed stays after sending. */
  get locked() {
    return this.#lock.getAttribute("aria-pressed") === "true";
  }

  set locked(locked) {
    this.#lock.setAttribute("aria-pressed", String(locked));
  }

  /** @param {Settings} settings */
  fill(settings) {
    if (settings.prompt !== undefined) this.set("prompt", settings.prompt);
    if (settings.negative_prompt !== undefined) this.set("negative_prompt", settings.negative_prompt);
    if (settings.seed !== undefined) this.set("seed", settings.seed === null ? "" : String(settings.seed));
    for (const name of /** @type {const} */ (["n", "steps", "guidance", "model"])) this.set(name, String(settings[name]));
    this.#fillSize(settings.width, settings.height);
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #fillSize(width, height) {
    this.set("width", String(width));
    this.set("height", String(height));
    for (const ratio of RATIOS) {
      for (const scale of SCALES) {
        const [w, h] = outputSize(ratio, scale);
        if (w === width && h === height) {
          this.set("ratio", ratio);
          this.set("scale", String(scale));
          return;
        }
      }
    }
    this.set("ratio", "free");
  }

  /** @returns {[number, number]} */
  size() {
    const ratio = this.value("ratio");
    if (ratio === "free") return [Number(this.value("width")), Number(this.value("height"))];
    return outputSize(ratio, Number(this.value("scale")));
  }

  /** @returns {Content} */
  content() {
    const [width, height] = this.size();
    /** @type {Content} */
    const content = {
      prompt: this.value("prompt"),
      model: this.value("model"),
      size: `${width}x${height}`,
      n: Number(this.value("n")),
      steps: Number(this.value("steps")),
      guidance: Number(this.value("guidance")),
    };
    if (this.value("negative_prompt").trim()) content.negative_prompt = this.value("negative_prompt");
    if (this.value("seed").trim()) content.seed = Number(this.value("seed"));
    return content;
  }

  /**
   * The first thing the server would refuse; it checks everything again.
   *
   * @param {string[]} prompts
   * @returns {Wrong | null}
   */
  check(prompts) {
    const seed = this.value("seed").trim();
    const [steps, guidance] = [Number(this.value("steps")), Number(this.value("guidance"))];
    if (prompts.every((prompt) => prompt.trim() === "")) return { code: "prompt_empty", field: "prompt" };
    if (prompts.some((prompt) => length(prompt) > PROMPT_MOST)) return { code: "prompt_too_long", field: "prompt" };
    if (this.size().some((side) => side % 16 !== 0 || side < 256 || side > 2048)) return { code: "size_invalid", field: "size" };
    if (!/^\d*$/.test(seed) || Number(seed) > SEED_MOST) return { code: "seed_invalid", field: "seed" };
    if (!Number.isInteger(steps) || steps < 1 || steps > 100) return { code: "steps_invalid", field: "steps" };
    if (!(guidance >= 0 && guidance <= 30)) return { code: "guidance_invalid", field: "guidance" };
    return null;
  }

  /**
   * @param {string} field
   * @param {string} sentence
   */
  showError(field, sentence) {
    const place = this.#errorPlace(field) ?? this.#errorPlace("");
    if (!place) return;
    place.textContent = sentence;
    place.hidden = false;
    const input = this.#form.elements.namedItem(field === "size" ? "width" : field);
    if (input instanceof HTMLElement) {
      input.setAttribute("aria-invalid", "true");
      if (this.#form.contains(document.activeElement) || field === "prompt") input.focus();
    }
  }

  /** @param {HTMLElement} input */
  clearError(input) {
    input.removeAttribute("aria-invalid");
    const name = input.getAttribute("name") ?? "";
    const field = ["width", "height", "ratio", "scale"].includes(name) ? "size" : name;
    for (const place of [this.#errorPlace(field), this.#errorPlace("")]) if (place) place.hidden = true;
  }

  clearErrors() {
    for (const place of this.#form.querySelectorAll("[data-error]")) /** @type {HTMLElement} */ (place).hidden = true;
    for (const input of this.#form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  }

  /** @param {string} field */
  #errorPlace(field) {
    const place = this.#form.querySelector(`[data-error="${CSS.escape(field)}"]`);
    return place instanceof HTMLElement ? place : null;
  }
}

// @ts-check
/** What is wrong with the composer's inputs, and where that is said; loaded with the first key. */

import { PROMPT_MOST } from "./composer-fields.js";
import { LINES_MOST, notTaken, tooManyLines, withRefused } from "./composer-lines.js";
import { length, saysNothing } from "./format.js";
import { errorSentence } from "./labels.js";

/** @import {Fields} from "./composer-fields.js" */
/** @import {KeyedMessage} from "./outbox.js" */
/** @import {Refusal} from "./protocol.js" */

/** @typedef {{text: string, keys: string[], refused: string[]}} SentSet what was sent at once, and what of it came back */

const SEED_MOST = 4_294_967_295;

export class Errors {
  #form;
  #fields;

  /**
   * @param {HTMLFormElement} form
   * @param {Fields} fields
   */
  constructor(form, fields) {
    this.#form = form;
    this.#fields = fields;
  }

  /**
   * The first thing the server would refuse; it checks everything again.
   *
   * @param {string[]} prompts
   * @returns {[field: string, sentence: string] | null}
   */
  check(prompts) {
    const code = this.#codeOf(prompts);
    if (code) return [code.split("_")[0], errorSentence(code)];
    return prompts.length > LINES_MOST ? ["prompt", tooManyLines(prompts.length)] : null;
  }

  /** @param {string[]} prompts @returns {string | null} begins with the name of the field */
  #codeOf(prompts) {
    const seed = this.#fields.value("seed").trim();
    const [steps, guidance] = [Number(this.#fields.value("steps")), Number(this.#fields.value("guidance"))];
    if (prompts.every(saysNothing)) return "prompt_empty";
    if (prompts.some((prompt) => length(prompt) > PROMPT_MOST)) return "prompt_too_long";
    if (this.#fields.size().some((side) => side % 16 !== 0 || side < 256 || side > 2048)) return "size_invalid";
    if (!/^\d*$/.test(seed) || Number(seed) > SEED_MOST) return "seed_invalid";
    if (!Number.isInteger(steps) || steps < 1 || steps > 100) return "steps_invalid";
    if (!(guidance >= 0 && guidance <= 30)) return "guidance_invalid";
    return null;
  }

  /**
   * What was not taken stands in the prompt again.
   *
   * @param {SentSet} set the last one that was sent; changed in place
   * @param {KeyedMessage} message of that set, or of an older one
   * @param {Refusal} refusal
   */
  putBack(set, { prompt, request_key: key }, { code, field = "", message }) {
    const several = set.keys.includes(key) && set.keys.length > 1;
    const refused = [...(several ? set.refused : []), String(prompt)];
    const sentence = errorSentence(code, message);
    const text = withRefused(this.#fields.value("prompt"), several ? set.text : null, refused);
    this.#fields.set("prompt", text);
    if (several) Object.assign(set, { text, refused });
    this.show(several ? "prompt" : field, several ? notTaken(refused.length, sentence) : sentence);
  }

  /**
   * @param {string} field
   * @param {string} sentence
   */
  show(field, sentence) {
    const place = this.#placeOf(field) ?? this.#placeOf("");
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
  clearOf(input) {
    input.removeAttribute("aria-invalid");
    const name = input.getAttribute("name") ?? "";
    const field = ["width", "height", "ratio", "scale"].includes(name) ? "size" : name;
    for (const place of [this.#placeOf(field), this.#placeOf("")]) if (place) place.hidden = true;
  }

  clear() {
    for (const place of this.#form.querySelectorAll("[data-error]")) /** @type {HTMLElement} */ (place).hidden = true;
    for (const input of this.#form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  }

  /** @param {string} field */
  #placeOf(field) {
    const place = this.#form.querySelector(`[data-error="${CSS.escape(field)}"]`);
    return place instanceof HTMLElement ? place : null;
  }
}

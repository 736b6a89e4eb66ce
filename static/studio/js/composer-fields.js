// @ts-check
/** The composer's inputs: reading and writing them. */

import { closest, find, setProperty } from "./dom.js";

/** @import {Model} from "./protocol.js" */
/** @import {Pasted} from "./pasted-settings.js" */

export const PROMPT_MOST = 2000;
const GRID = 16;
const RATIOS = ["1:1", "3:4", "4:3", "9:16", "16:9"];
const SCALES = [512, 768, 1024];
/** Each has its bounds in the markup. */
const NUMBERS = ["width", "height", "steps", "guidance"];

export const DRAFT_FIELDS = [
  "prompt", "negative_prompt", "ratio", "scale", "width", "height", "n", "seed", "steps", "guidance", "model",
];

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
  #sliders;
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
    this.#sliders = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("[data-mirror]")]);
  }

  /** @param {string} name */
  value(name) {
    const input = this.#form.elements.namedItem(name);
    return input && "value" in input ? String(input.value) : "";
  }

  /** @param {string} name */
  #number(name) {
    return Number(this.value(name));
  }

  /** The first number that cannot be sent. @returns {HTMLInputElement | undefined} */
  wrongNumber() {
    const names = this.value("ratio") === "free" ? NUMBERS : NUMBERS.slice(2);
    return names.map((name) => find(this.#form, `[name='${name}']`, HTMLInputElement)).find(isWrong);
  }

  /** What a draft keeps. @returns {Record<string, string>} */
  get values() {
    return Object.fromEntries(DRAFT_FIELDS.map((name) => [name, this.value(name)]));
  }

  /** Names and values that were typed or chosen before the scripts were there, in that order. @returns {[string, string][]} */
  get typed() {
    const inputs = /** @type {HTMLInputElement[]} */ ([...this.#form.querySelectorAll("[data-typed]")]);
    return inputs
      .filter(({ type, checked }) => type !== "radio" || checked)
      .sort((a, b) => Number(a.dataset.typed) - Number(b.dataset.typed))
      .map(({ name, value, dataset }) => [dataset.mirror ?? name, value]);
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  set(name, value) {
    if (name === "model" && !this.#models().some((model) => model.name === value)) return;
    const input = this.#form.elements.namedItem(name);
    if (input && "value" in input) input.value = value;
  }

  /** Whether the seed stays after sending. */
  get locked() {
    return this.#lock.getAttribute("aria-pressed") === "true";
  }

  set locked(locked) {
    this.#lock.setAttribute("aria-pressed", String(locked));
  }

  /** The buttons beside the seed. @param {Event} event @returns {boolean} whether it was one of them */
  press(event) {
    const dice = closest(event, "[data-dice]");
    const lock = closest(event, "[data-lock]");
    if (dice) this.set("seed", String(crypto.getRandomValues(new Uint32Array(1))[0]));
    if (lock) this.locked = !this.locked;
    return Boolean(dice || lock);
  }

  /** Sliders stand where their inputs do. */
  mirror() {
    for (const slider of this.#sliders) {
      const { min, max, dataset: { mirror = "" } } = slider;
      const value = this.#number(mirror);
      const share = Math.min(1, Math.max(0, (value - Number(min)) / (Number(max) - Number(min))));
      slider.value = String(value);
      setProperty(slider, "--share", `${(share * 100).toFixed(1)}%`);
    }
  }

  /**
   * What a pasted text names; the rest stays.
   *
   * @param {Pasted} pasted
   */
  fillPasted({ size, ...named }) {
    for (const [name, value] of Object.entries(named)) this.set(name, value);
    if (size) this.#setSize(Number(size[0]), Number(size[1]));
    if (named.seed) this.locked = true;
  }

  /** Takes back what was filled in. @param {{values: Record<string, string>, locked: boolean}} before */
  restore({ values, locked }) {
    for (const [name, value] of Object.entries(values)) this.set(name, value);
    this.locked = locked;
  }

  /** @param {Settings} settings */
  fill(settings) {
    const { width, height, ...others } = settings;
    for (const [name, value] of Object.entries(others)) {
      if (value !== undefined) this.set(name, String(value ?? ""));
    }
    this.#setSize(width, height);
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #setSize(width, height) {
    const sizes = RATIOS.flatMap((ratio) => SCALES.map((scale) => ({ ratio, scale, side: outputSize(ratio, scale) })));
    const preset = sizes.find(({ side: [w, h] }) => w === width && h === height);
    this.set("width", String(width));
    this.set("height", String(height));
    this.set("ratio", preset?.ratio ?? "free");
    if (preset) this.set("scale", String(preset.scale));
  }

  /** @returns {[number, number]} */
  size() {
    const ratio = this.value("ratio");
    if (ratio === "free") return [this.#number("width"), this.#number("height")];
    return outputSize(ratio, this.#number("scale"));
  }

  /** @returns {Content} */
  content() {
    const seed = this.value("seed").trim();
    const negative = this.value("negative_prompt");
    return {
      prompt: this.value("prompt"),
      model: this.value("model"),
      size: this.size().join("x"),
      n: this.#number("n"),
      steps: this.#number("steps"),
      guidance: this.#number("guidance"),
      ...(negative.trim() && { negative_prompt: negative }),
      ...(seed && { seed: Number(seed) }),
    };
  }
}

/**
 * Sides in multiples of 16 whose area is close to `scale`².
 *
 * @param {string} ratio "3:4"
 * @param {number} scale side of the square of the same area
 * @returns {[number, number]}
 */
export function outputSize(ratio, scale) {
  const [w, h] = ratio.split(":").map(Number);
  const stretch = Math.sqrt(w / h);
  return [snap(scale * stretch), snap(scale / stretch)];
}

/** @param {HTMLInputElement} input */
const isWrong = ({ name, value, validity: { rangeUnderflow, rangeOverflow, stepMismatch } }) =>
  value === "" || rangeUnderflow || rangeOverflow || (stepMismatch && name !== "guidance"); // 7.25 can be sent

/** @param {number} side */
const snap = (side) => Math.min(2048, Math.max(256, Math.round(side / GRID) * GRID));

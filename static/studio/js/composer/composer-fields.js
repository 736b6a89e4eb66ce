// @ts-check
/** The composer's inputs: reading and writing them. */

import { closest, find } from "../lib/dom.js";

/** @import {Model} from "../connection/protocol.js" */

const RATIOS = ["1:1", "3:4", "4:3", "9:16", "16:9"];
const SCALES = [512, 768, 1024];
/** Each has its bounds in the markup. */
const NUMBERS = ["width", "height", "steps", "guidance"];

export const DRAFT_FIELDS = [
  "prompt", "negative_prompt", "ratio", "scale", "width", "height", "n", "seed", "steps", "guidance", "model",
];

/** @typedef {Record<string, string | number>} Content the fields of `generate` */

/**
 * @typedef {object} Settings parameters of a task
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

/**
 * @param {HTMLFormElement} form
 * @param {() => Model[]} models available models
 */
export function createFields(form, models) {
  const lock = find(form, "[data-lock]", HTMLButtonElement);
  const sides = find(form, "[name='width']", HTMLInputElement);
  const sliders = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("[data-mirror]")]);

  /** @param {string} name */
  function value(name) {
    const input = form.elements.namedItem(name);
    return input && "value" in input ? String(input.value) : "";
  }

  /** The longest text or the largest number that the server accepts. @param {string} name */
  const limitOf = (name) => Number(find(form, `[name='${name}']`, HTMLElement).dataset.most);

  /** @param {string} name */
  function numberOf(name) {
    return Number(value(name));
  }

  /** The first invalid number. @returns {HTMLInputElement | undefined} */
  function invalidNumber() {
    const names = value("ratio") === "free" ? NUMBERS : NUMBERS.slice(2);
    return names.map((name) => find(form, `[name='${name}']`, HTMLInputElement)).find(isInvalid);
  }

  /**
   * @param {string} name
   * @param {string} text
   */
  function set(name, text) {
    if (name === "model" && !models().some((model) => model.name === text)) return;
    const input = form.elements.namedItem(name);
    if (input && "value" in input) input.value = text;
  }

  /** The buttons beside the seed. @param {Event} event @returns {boolean} whether it was one of them */
  function handleClick(event) {
    const dice = closest(event, "[data-dice]");
    const lockButton = closest(event, "[data-lock]");
    if (dice) set("seed", String(crypto.getRandomValues(new Uint32Array(1))[0]));
    if (lockButton) setLocked(!isLocked());
    return Boolean(dice || lockButton);
  }

  /** Set the sliders to the values of their inputs. */
  function syncSliders() {
    for (const slider of sliders) slider.value = String(numberOf(slider.dataset.mirror ?? ""));
  }

  /** @param {Settings} settings */
  function fill(settings) {
    const { width, height, ...others } = settings;
    for (const [name, each] of Object.entries(others)) {
      if (each !== undefined) set(name, String(each ?? ""));
    }
    setSize(width, height);
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  function setSize(width, height) {
    const sizes = RATIOS.flatMap((ratio) => SCALES.map((scale) => ({ ratio, scale, side: outputSize(ratio, scale, sides) })));
    const preset = sizes.find(({ side: [w, h] }) => w === width && h === height);
    set("width", String(width));
    set("height", String(height));
    set("ratio", preset?.ratio ?? "free");
    if (preset) set("scale", String(preset.scale));
  }

  /** @returns {[number, number]} */
  function size() {
    const ratio = value("ratio");
    if (ratio === "free") return [numberOf("width"), numberOf("height")];
    return outputSize(ratio, numberOf("scale"), sides);
  }

  /** @returns {Content} */
  function content() {
    const seed = value("seed").trim();
    const negative = value("negative_prompt");
    return {
      prompt: value("prompt"),
      model: value("model"),
      size: size().join("x"),
      n: numberOf("n"),
      steps: numberOf("steps"),
      guidance: numberOf("guidance"),
      ...(negative.trim() && { negative_prompt: negative }),
      ...(seed && { seed: Number(seed) }),
    };
  }

  const isLocked = () => lock.getAttribute("aria-pressed") === "true";

  /** @param {boolean} locked */
  const setLocked = (locked) => lock.setAttribute("aria-pressed", String(locked));

  return {
    /** Values for the draft. @returns {Record<string, string>} */
    get values() {
      return Object.fromEntries(DRAFT_FIELDS.map((name) => [name, value(name)]));
    },

    /** Names and values that were entered before the scripts were loaded, in that order. @returns {[string, string][]} */
    get typedEarly() {
      const inputs = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll("[data-typed]")]);
      return inputs
        .filter(({ type, checked }) => type !== "radio" || checked)
        .sort((a, b) => Number(a.dataset.typed) - Number(b.dataset.typed))
        .map((input) => [input.dataset.mirror ?? input.name, input.value]);
    },

    /** Whether the seed is kept after sending. */
    get locked() {
      return isLocked();
    },

    set locked(locked) {
      setLocked(locked);
    },

    value, limitOf, invalidNumber, set, handleClick, syncSliders, fill, setSize, size, content,
  };
}

/** @typedef {ReturnType<typeof createFields>} Fields */

/**
 * Sides in multiples of `step` whose area is close to `scale`².
 *
 * @param {string} ratio "3:4"
 * @param {number} scale side of the square of the same area
 * @param {Pick<HTMLInputElement, "min" | "max" | "step">} sides
 * @returns {[number, number]}
 */
export function outputSize(ratio, scale, { min, max, step }) {
  const [w, h] = ratio.split(":").map(Number);
  const [least, most, grid] = [min, max, step].map(Number);
  /** @param {number} side */
  const snap = (side) => Math.min(most, Math.max(least, Math.round(side / grid) * grid));
  const stretch = Math.sqrt(w / h);
  return [snap(scale * stretch), snap(scale / stretch)];
}

/** @param {HTMLInputElement} input */
const isInvalid = ({ name, value, validity: { rangeUnderflow, rangeOverflow, stepMismatch } }) =>
  value === "" || rangeUnderflow || rangeOverflow || (stepMismatch && name !== "guidance"); // 7.25 is valid

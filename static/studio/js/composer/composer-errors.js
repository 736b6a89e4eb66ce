// @ts-check
/** What is wrong with the composer's inputs, and where that is said; loaded with the first key. */

import { notTaken, tooManyLines, withRefused } from "./composer-lines.js";
import { gettext, label, length } from "../lib/i18n.js";

/** @import {Fields} from "./composer-fields.js" */
/** @import {KeyedMessage} from "../state/pending-requests.js" */
/** @import {Refusal} from "../connection/protocol.js" */

/** @typedef {{text: string, keys: string[], refused: string[]}} SentSet what was sent at once, and what of it came back */

export class Errors {
  #form;
  #fields;
  #mostLines;
  #changed;

  /**
   * @param {HTMLFormElement} form
   * @param {Fields} fields
   * @param {number} mostLines prompts that can be sent at once
   * @param {() => void} changed another value was taken
   */
  constructor(form, fields, mostLines, changed) {
    this.#form = form;
    this.#fields = fields;
    this.#mostLines = mostLines;
    this.#changed = changed;
    form.addEventListener("change", ({ target }) => {
      // as soon as the number is typed to its end, not only when it is sent
      if (target === this.#fields.wrongNumber()) this.#offer();
    });
  }

  /**
   * The first thing the server would refuse; it checks everything again.
   *
   * @param {string[]} prompts
   * @returns {(() => void) | null} shows it
   */
  check(prompts) {
    const code = this.#codeOf(prompts);
    if (code === "number_invalid") return () => this.#offer()?.focus();
    if (code) return () => this.show(code.split("_")[0], label("error", code));
    return prompts.length > this.#mostLines ? () => this.show("prompt", tooManyLines(prompts.length, this.#mostLines)) : null;
  }

  /** @param {string[]} prompts @returns {string | null} begins with the name of the field */
  #codeOf(prompts) {
    const seed = this.#fields.value("seed").trim();
    if (prompts.every(saysNothing)) return "prompt_empty";
    if (prompts.some((prompt) => length(prompt) > this.#fields.most("prompt"))) return "prompt_too_long";
    if (!/^\d*$/.test(seed) || Number(seed) > this.#fields.most("seed")) return "seed_invalid";
    return this.#fields.wrongNumber() ? "number_invalid" : null;
  }

  /** Say which number is wrong, and offer the nearest that can be sent. @returns {HTMLInputElement | undefined} its input */
  #offer() {
    const input = this.#fields.wrongNumber();
    if (!input) return;
    const nearest = nearestOf(input);
    const place = this.#tell(fieldOf(input), numberSentence(input));
    const take = document.createElement("button");
    take.type = "button";
    take.className = "link-button";
    take.textContent = gettext("Use %(n)s", { n: nearest });
    take.addEventListener("click", () => {
      input.value = nearest;
      this.clearOf(input);
      input.focus();
      this.#changed();
      this.#offer(); // the other side may be wrong too
    });
    place?.append(" ", take);
    place?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-invalid", "true");
    return input;
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
    const sentence = label("error", code, message);
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
    this.#tell(field, sentence)?.scrollIntoView({ block: "nearest" });
    const input = this.#form.elements.namedItem(field === "size" ? "width" : field);
    if (input instanceof HTMLElement) {
      input.setAttribute("aria-invalid", "true");
      if (this.#form.contains(document.activeElement) || field === "prompt") input.focus();
    }
  }

  /**
   * @param {string} field
   * @param {string} sentence
   */
  #tell(field, sentence) {
    const place = this.#placeOf(field) ?? this.#placeOf("");
    if (!place) return null;
    place.textContent = sentence;
    place.hidden = false;
    return place;
  }

  /** @param {HTMLElement} input */
  clearOf(input) {
    const field = fieldOf(input);
    for (const each of this.#form.querySelectorAll("[aria-invalid]")) {
      if (each === input || fieldOf(each) === field) each.removeAttribute("aria-invalid");
    }
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

/** The name under which an input's errors stand. @param {Element} input */
function fieldOf(input) {
  const name = input.getAttribute("name") ?? "";
  return ["width", "height", "ratio", "scale"].includes(name) ? "size" : name;
}

/** @param {HTMLInputElement} input */
function numberSentence({ labels, min: least, max: most, step }) {
  const values = { name: labels?.[0]?.textContent?.trim() ?? "", least, most, step };
  if (Number(step) > 1) return gettext("%(name)s: a multiple of %(step)s from %(least)s to %(most)s.", values);
  if (Number(step) === 1) return gettext("%(name)s: a whole number from %(least)s to %(most)s.", values);
  return gettext("%(name)s: a number from %(least)s to %(most)s.", values);
}

/**
 * @param {Pick<HTMLInputElement, "name" | "value" | "min" | "max" | "step" | "defaultValue">} input
 * @returns {string} the nearest value that can be sent
 */
export function nearestOf({ name, value, min, max, step, defaultValue }) {
  if (value === "") return defaultValue; // nothing was typed, or nothing that is a number
  const grid = name === "guidance" ? 0 : Number(step);
  const snapped = grid ? Math.round(Number(value) / grid) * grid : Number(value);
  const nearest = Math.min(Number(max), Math.max(Number(min), snapped));
  return String(nearest);
}

/** Letters, marks and symbols that are drawn as nothing, although their category does not say so. */
const UNSEEN = /[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}]/gu;

/** Whether a text holds no character that a reader could see; the server asks the same. @param {string} text */
export const saysNothing = (text) => !/[^\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{M}]/u.test(text.replace(UNSEEN, ""));

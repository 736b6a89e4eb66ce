// @ts-check
/** Errors of the composer's inputs, and where they are shown; loaded with the first key. */

import { notAccepted, tooManyLines, withRefused } from "./composer-lines.js";
import { gettext, label, length } from "../lib/i18n.js";
import { refusalText } from "./composer-limits.js";

/** @import {Fields} from "./composer-fields.js" */
/** @import {KeyedMessage} from "../state/pending-requests.js" */
/** @import {Refusal} from "../connection/protocol.js" */

/** @typedef {{text: string, keys: string[], refused: string[]}} SentSet prompts sent at once, and those that the server refused */

export class Errors {
  #form;
  #fields;
  #mostLines;
  #changed;

  /**
   * @param {HTMLFormElement} form
   * @param {Fields} fields
   * @param {number} mostLines prompts that can be sent at once
   * @param {() => void} changed the nearest value was filled in
   */
  constructor(form, fields, mostLines, changed) {
    this.#form = form;
    this.#fields = fields;
    this.#mostLines = mostLines;
    this.#changed = changed;
    form.addEventListener("change", ({ target }) => {
      // when the number is complete, not only when it is sent
      if (target === this.#fields.invalidNumber()) this.#offerNearest();
    });
  }

  /**
   * The first error that the server would find; it checks everything again.
   *
   * @param {string[]} prompts
   * @returns {(() => void) | null} shows the error
   */
  check(prompts) {
    const code = this.#codeOf(prompts);
    if (code === "number_invalid") return () => this.#offerNearest()?.focus();
    if (code) return () => this.show(code.split("_")[0], label("error", code));
    return prompts.length > this.#mostLines ? () => this.show("prompt", tooManyLines(prompts.length, this.#mostLines)) : null;
  }

  /** @param {string[]} prompts @returns {string | null} begins with the name of the field */
  #codeOf(prompts) {
    const seed = this.#fields.value("seed").trim();
    if (prompts.every(isBlank)) return "prompt_empty";
    if (prompts.some((prompt) => length(prompt) > this.#fields.limitOf("prompt"))) return "prompt_too_long";
    if (!/^\d*$/.test(seed) || Number(seed) > this.#fields.limitOf("seed")) return "seed_invalid";
    return this.#fields.invalidNumber() ? "number_invalid" : null;
  }

  /** Show which number is invalid, with a button for the nearest valid one. @returns {HTMLInputElement | undefined} its input */
  #offerNearest() {
    const input = this.#fields.invalidNumber();
    if (!input) return;
    const nearest = nearestOf(input);
    const element = this.#showText(fieldOf(input), numberSentence(input));
    const button = document.createElement("button");
    button.type = "button";
    button.className = "link-button";
    button.textContent = gettext("Use %(n)s", { n: nearest });
    button.addEventListener("click", () => {
      input.value = nearest;
      this.clearOf(input);
      input.focus();
      this.#changed();
      this.#offerNearest(); // the other side may be wrong too
    });
    element?.append(" ", button);
    element?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-invalid", "true");
    return input;
  }

  /**
   * Put refused prompts back into the form.
   *
   * @param {SentSet} set the last one that was sent; changed in place
   * @param {KeyedMessage} message of that set, or of an older one
   * @param {Refusal} refusal
   */
  restorePrompts(set, { prompt, request_key: key }, refusal) {
    const several = set.keys.includes(key) && set.keys.length > 1;
    const refused = [...(several ? set.refused : []), String(prompt)];
    const sentence = refusalText(refusal);
    const text = withRefused(this.#fields.value("prompt"), several ? set.text : null, refused);
    this.#fields.set("prompt", text);
    if (several) Object.assign(set, { text, refused });
    this.show(several ? "prompt" : (refusal.field ?? ""), several ? notAccepted(refused.length, sentence) : sentence);
  }

  /**
   * @param {string} field
   * @param {string} sentence
   */
  show(field, sentence) {
    this.#showText(field, sentence)?.scrollIntoView({ block: "nearest" });
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
  #showText(field, sentence) {
    const element = this.#elementOf(field) ?? this.#elementOf("");
    if (!element) return null;
    element.textContent = sentence;
    element.hidden = false;
    return element;
  }

  /** @param {HTMLElement} input */
  clearOf(input) {
    const field = fieldOf(input);
    for (const each of this.#form.querySelectorAll("[aria-invalid]")) {
      if (each === input || fieldOf(each) === field) each.removeAttribute("aria-invalid");
    }
    for (const element of [this.#elementOf(field), this.#elementOf("")]) if (element) element.hidden = true;
  }

  clear() {
    for (const element of this.#form.querySelectorAll("[data-error]")) /** @type {HTMLElement} */ (element).hidden = true;
    for (const input of this.#form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  }

  /** @param {string} field */
  #elementOf(field) {
    const element = this.#form.querySelector(`[data-error="${CSS.escape(field)}"]`);
    return element instanceof HTMLElement ? element : null;
  }
}

/** The field whose errors belong to an input. @param {Element} input */
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
 * @returns {string} the nearest valid value
 */
export function nearestOf({ name, value, min, max, step, defaultValue }) {
  if (value === "") return defaultValue; // empty, or not a number
  const grid = name === "guidance" ? 0 : Number(step);
  const snapped = grid ? Math.round(Number(value) / grid) * grid : Number(value);
  const nearest = Math.min(Number(max), Math.max(Number(min), snapped));
  return String(nearest);
}

/** Letters, marks and symbols that are invisible, although their category does not tell. */
const UNSEEN = /[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}]/gu;

/** Whether a text has no visible character; the server checks the same. @param {string} text */
export const isBlank = (text) => !/[^\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{M}]/u.test(text.replace(UNSEEN, ""));

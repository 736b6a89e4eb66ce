// @ts-check
/** A text of several lines: one prompt, or a task for each line. */

import { part, setText } from "../lib/dom.js";
import { gettext, ngettext } from "../lib/i18n.js";

/** @param {string} text */
export const linesOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

/**
 * The text with the refused prompts, and without the accepted ones of the same set.
 *
 * @param {string} text
 * @param {string | null} sent the text of the set; null: unknown
 * @param {string[]} refused lines of that set
 */
export function withRefused(text, sent, refused) {
  if (text === sent) return refused.join("\n");
  const missing = refused.filter((prompt) => !text.includes(prompt));
  return [text.trimEnd(), ...missing].filter(Boolean).join("\n");
}

export class Lines {
  #choice;
  #inputs;
  /** "lines" or "one"; empty until the user chooses, which means "one". */
  #chosen;

  /**
   * @param {HTMLFormElement} form
   * @param {string} chosen of a draft
   * @param {() => void} changed
   */
  constructor(form, chosen, changed) {
    this.#chosen = chosen;
    this.#choice = part(form, "split");
    this.#inputs = /** @type {HTMLInputElement[]} */ ([...this.#choice.querySelectorAll("input")]);
    this.#choice.addEventListener("change", (event) => {
      if (event.target instanceof HTMLInputElement) this.#chosen = event.target.value;
      changed();
    });
  }

  get chosen() {
    return this.#chosen;
  }

  /** @param {string} text @returns {string[]} prompts, each for one task */
  prompts(text) {
    const lines = linesOf(text);
    return this.#splits(lines) ? lines : [text];
  }

  /** @param {string} text */
  show(text) {
    const lines = linesOf(text);
    this.#choice.hidden = lines.length < 2;
    const splits = this.#splits(lines);
    for (const input of this.#inputs) input.checked = (input.value === "lines") === splits;
    setText(part(this.#choice, "split-lines"), gettext("One task per line (%(n)s)", { n: lines.length }));
  }

  /** @param {string[]} lines */
  #splits(lines) {
    return lines.length > 1 && this.#chosen === "lines";
  }
}

/** @param {number} n @param {number} most */
export const tooManyLines = (n, most) =>
  gettext("There are %(n)s lines, and at most %(most)s can be sent at once. Send them in parts.", { n, most });

/** @param {number} n @param {string} why */
export const notAccepted = (n, why) =>
  ngettext("%(n)s line was not accepted and is back here: %(why)s", "%(n)s lines were not accepted and are back here: %(why)s", n, { why });

// @ts-check
/** Varying a picture: what it comes from, and which settings are not those of its parent any more. */

import { find, part, setAttribute, setText } from "./dom.js";
import { fill, gettext } from "./i18n.js";

/** @import {Content} from "./composer-fields.js" */

/** @typedef {{task: string, thumbnail: string, content: Content}} Parent `content` as it would be sent unchanged */

/** @type {Record<string, () => string>} In the order of the form. */
const NAMES = {
  prompt: () => gettext("Prompt"),
  negative_prompt: () => gettext("Negative prompt"),
  size: () => gettext("Size"),
  n: () => gettext("Pictures"),
  seed: () => gettext("Seed"),
  steps: () => gettext("Steps"),
  guidance: () => gettext("Guidance"),
  model: () => gettext("Model"),
};

/**
 * @param {Content} before
 * @param {Content} now
 * @returns {string[]} names of the fields that differ
 */
export const changedFields = (before, now) => Object.keys(NAMES).filter((name) => (before[name] ?? "") !== (now[name] ?? ""));

export class Origin {
  #form;
  #line;
  /** @type {Parent | null} */
  #parent = null;

  /**
   * @param {HTMLFormElement} form
   * @param {() => void} dismissed
   */
  constructor(form, dismissed) {
    this.#form = form;
    this.#line = part(form, "origin");
    find(this.#line, "[data-dismiss]", HTMLButtonElement).addEventListener("click", () => {
      this.set(null);
      dismissed();
    });
  }

  get parent() {
    return this.#parent;
  }

  /** @param {Parent | null} parent */
  set(parent) {
    this.#parent = parent;
    this.#line.hidden = parent === null;
    if (parent === null) {
      this.#mark([]);
      return;
    }
    const image = find(this.#line, "img", HTMLImageElement);
    image.hidden = parent.thumbnail === "";
    if (parent.thumbnail) setAttribute(image, "src", parent.thumbnail);
    setAttribute(find(this.#line, "a", HTMLAnchorElement), "href", `/tasks/${parent.task}/`);
  }

  /** @param {unknown} text of a draft */
  restore(text) {
    try {
      const parent = JSON.parse(typeof text === "string" ? text : "null");
      if (typeof parent?.task === "string" && typeof parent.content === "object") this.set(parent);
    } catch {
      // a draft of another version: then nothing is varied
    }
  }

  /** @param {Content} content what would be sent now */
  show(content) {
    if (this.#parent === null) return;
    const changed = changedFields(this.#parent.content, content);
    this.#mark(changed);
    const names = changed.map((name) => NAMES[name]()).join(gettext(", "));
    const words = changed.length > 0 ? fill(gettext("Changed: %(names)s"), { names }) : gettext("Change one thing and draw");
    setText(part(this.#line, "origin-changes"), words);
  }

  /** @param {string[]} changed */
  #mark(changed) {
    for (const label of this.#form.querySelectorAll("[data-of]")) {
      setAttribute(label, "data-changed", changed.includes(/** @type {HTMLElement} */ (label).dataset.of ?? ""));
    }
  }
}

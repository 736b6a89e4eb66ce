// @ts-check
/** Varying a picture: what it comes from, and which settings are not those of its parent any more. */

import { Face, at, find, setAttribute } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";

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

/**
 * Whether the same picture would come out: more of them, or what a model without guidance does not read, change nothing in it.
 *
 * @param {Content} before
 * @param {Content} now
 */
export const drawsTheSame = (before, now) =>
  changedFields(before, now).every((name) => name === "n" || (name === "negative_prompt" && now.guidance === 0));

export class Origin {
  #face;
  #line;
  #labels;

  /**
   * @param {HTMLFormElement} form
   * @param {() => void} dismissed
   */
  constructor(form, dismissed) {
    this.#face = new Face(form);
    this.#line = this.#face.part("origin");
    this.#labels = /** @type {HTMLElement[]} */ ([...form.querySelectorAll("[data-of]")]);
    find(this.#line, "[data-dismiss]", HTMLButtonElement).addEventListener("click", dismissed);
  }

  /** @param {Parent} parent @param {Content} content */
  isSame(parent, content) {
    return drawsTheSame(parent.content, content);
  }

  /**
   * @param {Parent | null} parent null: nothing is varied
   * @param {Content} content what would be sent now
   */
  show(parent, content) {
    const changed = parent ? changedFields(parent.content, content) : [];
    for (const label of this.#labels) setAttribute(label, "data-changed", changed.includes(label.dataset.of ?? ""));
    this.#line.hidden = parent === null;
    if (!parent) return;
    const image = find(this.#line, "img", HTMLImageElement);
    image.hidden = parent.thumbnail === "";
    if (parent.thumbnail) setAttribute(image, "src", parent.thumbnail);
    setAttribute(find(this.#line, "a", HTMLAnchorElement), "href", at(`/tasks/${parent.task}/`));
    const names = changed.map((name) => NAMES[name]()).join(gettext(", "));
    const told = names ? gettext("Changed: %(names)s", { names }) : gettext("Nothing changed yet");
    const words = drawsTheSame(parent.content, content) ? `${told} · ${gettext("drawn with a new seed")}` : told;
    this.#face.tell({ "origin-changes": words });
  }
}

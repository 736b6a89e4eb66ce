// @ts-check
/** A variation: the picture that it comes from, and the settings that differ from it. */

import { Parts, find, setAttribute, siteUrl } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";

/** @import {Content} from "./composer-fields.js" */

/** @typedef {{task: string, thumbnail: string, content: Content}} Parent `content`: its settings */

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
 * Whether the model would draw the same picture: the count, and without guidance the negative prompt, change nothing.
 *
 * @param {Content} before
 * @param {Content} now
 */
export const drawsTheSame = (before, now) =>
  changedFields(before, now).every((name) => name === "n" || (name === "negative_prompt" && now.guidance === 0));

export class Origin {
  #parts;
  #element;
  #labels;

  /**
   * @param {HTMLFormElement} form
   * @param {() => void} dismissed
   */
  constructor(form, dismissed) {
    this.#parts = new Parts(form);
    this.#element = this.#parts.get("origin");
    this.#labels = /** @type {HTMLElement[]} */ ([...form.querySelectorAll("[data-of]")]);
    find(this.#element, "[data-dismiss]", HTMLButtonElement).addEventListener("click", dismissed);
  }

  /** @param {Parent} parent @param {Content} content */
  isSame(parent, content) {
    return drawsTheSame(parent.content, content);
  }

  /**
   * @param {Parent | null} parent null: no variation
   * @param {Content} content the task that would be sent
   */
  show(parent, content) {
    const changed = parent ? changedFields(parent.content, content) : [];
    for (const label of this.#labels) setAttribute(label, "data-changed", changed.includes(label.dataset.of ?? ""));
    this.#element.hidden = parent === null;
    if (!parent) return;
    const image = find(this.#element, "img", HTMLImageElement);
    image.hidden = parent.thumbnail === "";
    if (parent.thumbnail) setAttribute(image, "src", parent.thumbnail);
    setAttribute(find(this.#element, "a", HTMLAnchorElement), "href", siteUrl(`/tasks/${parent.task}/`));
    const names = changed.map((name) => NAMES[name]()).join(gettext(", "));
    const changes = names ? gettext("Changed: %(names)s", { names }) : gettext("Nothing changed yet");
    const words = drawsTheSame(parent.content, content) ? `${changes} · ${gettext("drawn with a new seed")}` : changes;
    this.#parts.setTexts({ "origin-changes": words });
  }
}

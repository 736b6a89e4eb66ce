// @ts-check
/** The part of the page about one picture: fetched as HTML, the next ones in advance. */

import { getPage } from "./review-requests.js";

/** @typedef {import("./review-reducer.js").Item} Item */
/** @typedef {{version: number, parts: Promise<Node[]>}} Fetched */

const MAX_KEPT = 16;

export class PictureView {
  /** @type {Map<number, Fetched>} */
  #fetched = new Map();
  /** The picture that is shown, or asked for. @type {number | null} */
  #wanted = null;

  /**
   * @param {HTMLElement} root
   * @param {(id: number) => string} address
   */
  constructor(root, address) {
    this.root = root;
    this.address = address;
  }

  /** The picture on the page: what the reviewer sees, and of which version. */
  get shown() {
    const stage = /** @type {HTMLElement | null} */ (this.root.querySelector("[data-part='stage']"));
    if (!stage || this.root.ariaBusy === "true") return null;
    const image = stage.querySelector("img");
    return { id: Number(stage.dataset.id), version: Number(stage.dataset.version), isLoaded: isLoaded(image) };
  }

  /** @param {Item} item @returns {Promise<boolean>} whether it is still the one that is wanted */
  async show(item) {
    this.#wanted = item.id;
    if (this.shown?.id === item.id && this.shown.version === item.version) return true;
    this.root.ariaBusy = "true";
    const { activeElement } = document;
    const focused = this.root.contains(activeElement) ? selectorOf(activeElement) : "";
    const parts = await this.#parts(item);
    if (this.#wanted !== item.id) return false;
    this.root.replaceChildren(...parts.map((part) => part.cloneNode(true)));
    this.root.ariaBusy = null;
    if (focused) /** @type {HTMLElement | null} */ (this.root.querySelector(focused))?.focus({ preventScroll: true });
    return true;
  }

  clear() {
    this.#wanted = null;
    this.root.ariaBusy = null;
    this.root.replaceChildren();
  }

  /** @param {Item[]} items */
  preload(items) {
    for (const item of items) this.#parts(item).catch(() => {}); // asked for again when it is shown
  }

  /** @param {Item} item */
  #parts(item) {
    const known = this.#fetched.get(item.id);
    if (known?.version === item.version) return known.parts;
    new Image().src = item.file;
    const parts = getPage(this.address(item.id)).then(({ body }) => [...body.children].map((part) => document.importNode(part, true)));
    this.#fetched.delete(item.id);
    this.#fetched.set(item.id, { version: item.version, parts });
    parts.catch(() => this.#fetched.delete(item.id));
    const [oldest] = this.#fetched.keys();
    if (this.#fetched.size > MAX_KEPT) this.#fetched.delete(oldest);
    return parts;
  }
}

/** Whether it can be seen: one that failed to load is complete too. @param {HTMLImageElement | null} image */
export const isLoaded = (image) => image !== null && image.complete && image.naturalWidth > 0;

/** Finds the control of the next picture that does the same. @param {Element | null} element */
function selectorOf(element) {
  if (!(element instanceof HTMLElement)) return "";
  if (element instanceof HTMLButtonElement && element.name === "state") return `[name="state"][value="${element.value}"]`;
  if (element.closest("[data-part='hide']")) return "[data-part='hide'] summary";
  return element.dataset.part === "zoom" ? "[data-part='zoom']" : "[name='state']";
}

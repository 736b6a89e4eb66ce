// @ts-check
/** The pictures of the page in the viewer: in order, and the one that is shown. */

import { taskOf } from "../connection/protocol.js";

/**
 * @typedef {object} Item
 * @property {string} key "task:index"
 * @property {string} url
 * @property {string} thumbnail
 * @property {number} width pixels; 0 = not known yet
 * @property {number} height
 * @property {string} alt
 */

const IN_URL = /^#picture=([0-9a-f-]{36}:\d+)$/;

/** @returns {string | null} a picture key */
export const keyInUrl = () => IN_URL.exec(location.hash)?.[1] ?? null;

/** Every picture that is shown, in the order of the page. @returns {Item[]} */
export const picturesOfPage = () =>
  [...document.querySelectorAll("main a[data-picture-key]")].flatMap((link) => {
    const image = link.querySelector("img");
    if (!(link instanceof HTMLAnchorElement) || !image || !link.checkVisibility()) return [];
    return {
      key: link.dataset.pictureKey ?? "",
      url: link.getAttribute("href") ?? "",
      thumbnail: image.getAttribute("src") ?? "",
      width: Number(image.getAttribute("width")),
      height: Number(image.getAttribute("height")),
      alt: image.alt,
    };
  });

export class PictureList {
  /** @type {Item[]} */
  #items = [];
  #index = -1;
  /** What was taken out, with the place it had. @type {Map<string, {item: Item, at: number}>} */
  #removed = new Map();

  /**
   * @param {Item[]} items a picture that is shown twice on a page is looked at once
   * @param {string} key the one to begin with; it may be none of them
   */
  constructor(items, key) {
    /** @type {Map<string, Item>} */
    const once = new Map();
    for (const item of items) if (!once.has(item.key)) once.set(item.key, item);
    this.#items = [...once.values()];
    this.show(key);
  }

  /** @returns {Item | null} */
  get current() {
    return this.#items[this.#index] ?? null;
  }

  /** Counts from 1. */
  get number() {
    return this.#index + 1;
  }

  get size() {
    return this.#items.length;
  }

  /** The pictures of the same task. */
  get siblings() {
    const { current } = this;
    return current ? this.#items.filter(({ key }) => taskOf(key) === taskOf(current.key)) : [];
  }

  /** The ones before and after. */
  get neighbours() {
    return [this.#items[this.#index + 1], this.#items[this.#index - 1]].filter((item) => item !== undefined);
  }

  /**
   * @param {number} by how many further; held at both ends
   * @returns {boolean} whether another one is shown now
   */
  move(by) {
    const at = Math.min(this.#items.length - 1, Math.max(0, this.#index + by));
    const moved = at !== this.#index;
    this.#index = at;
    return moved;
  }

  /** Show this one; one from elsewhere stands next to the one before it. @param {string} key @param {Partial<Item>} [known] */
  show(key, known) {
    const at = this.#items.findIndex((item) => item.key === key);
    if (at >= 0) {
      this.#index = at;
      return;
    }
    this.#index = Math.min(this.#items.length, this.#index + 1);
    this.#items.splice(this.#index, 0, { key, url: "", thumbnail: "", width: 0, height: 0, alt: "", ...known });
  }

  /**
   * @param {string[]} keys
   * @param {string[]} tasks ids of tasks that went with all their pictures
   */
  remove(keys, tasks) {
    const goes = (/** @type {Item} */ { key }) => keys.includes(key) || tasks.includes(taskOf(key));
    const before = this.#items.slice(0, this.#index).filter(goes).length;
    this.#items.forEach((item, at) => {
      if (goes(item)) this.#removed.set(item.key, { item, at });
    });
    this.#items = this.#items.filter((item) => !goes(item));
    this.#index = Math.max(0, Math.min(this.#items.length - 1, this.#index - before));
  }

  /**
   * @param {string[]} keys
   * @param {string[]} tasks
   * @returns {string | null} one that is back
   */
  restore(keys, tasks) {
    const shown = this.current?.key;
    const back = [...this.#removed].filter(([key]) => keys.includes(key) || tasks.includes(taskOf(key)));
    for (const [key, { item, at }] of back.sort(([, a], [, b]) => a.at - b.at)) {
      this.#removed.delete(key);
      this.#items.splice(at, 0, item);
    }
    if (shown) this.show(shown);
    return back[0]?.[0] ?? null;
  }
}

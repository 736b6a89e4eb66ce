// @ts-check
/** One picture on the stage: its thumbnail, replaced by its file once decoded; zoom and gestures. */

import { part, setAttribute, setProperty, setText } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";
import { Gestures } from "./viewer-gestures.js";
import { clamped, fitted, isFitted, isLarger, toggled, zoomed } from "./viewer-zoom.js";

/** @import {Item} from "./viewer-list.js" */
/** @import {Bounds, Transform, Point} from "./viewer-zoom.js" */

const CENTER = { x: 0, y: 0 };
const PER_WHEEL_PIXEL = 0.0015;
/** A pinch on a touch pad is sent as small wheel events with ctrl. */
const PER_PINCH_PIXEL = 0.01;
const LINE_PX = 16;

/** @type {Record<string, () => string>} */
const ERRORS = {
  offline: () => gettext("This device is offline. The picture appears when the network is back."),
  gone: () => gettext("This picture is no longer there. It may have been deleted."),
  unavailable: () => gettext("The picture could not be loaded. Your other pictures are not affected."),
};

export class Stage {
  #root;
  #figure;
  #error;
  #onZoom;
  #transform = { scale: 1, x: 0, y: 0 };
  /** @type {Item | null} */
  #item = null;
  #stage = { width: 1, height: 1 };

  /**
   * @param {HTMLElement} root
   * @param {{onZoom: (words: string) => void, onSwipe: (direction: "next" | "previous" | "close") => void}} callbacks
   */
  constructor(root, { onZoom, onSwipe }) {
    this.#root = root;
    this.#figure = part(root, "picture");
    this.#error = part(root, "trouble");
    this.#onZoom = onZoom;
    part(this.#error, "retry").addEventListener("click", () => this.#load());
    addEventListener("online", () => {
      if (this.#error.dataset.trouble === "offline" && root.isConnected) this.#load();
    });
    root.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => this.#measure()).observe(root);
    new Gestures(root, {
      isLarger: () => isLarger(this.#transform, this.#bounds),
      pan: (by) => this.pan(by),
      pinch: (factor, at) => this.#setTransform(zoomed(this.#transform, factor, at, this.#bounds)),
      drag: (by) => this.#paint({ ...this.#transform, ...by }),
      release: () => this.#setTransform(this.#transform, true),
      doubleTap: (at) => this.toggle(at),
      swipe: onSwipe,
    });
  }

  /** @returns {Bounds} */
  get #bounds() {
    const { width, height } = this.#item ?? { width: 0, height: 0 };
    return { stage: this.#stage, picture: { width: width || 1, height: height || 1 } };
  }

  /** @param {Item} item */
  show(item) {
    this.#measure();
    const again = this.#item?.key === item.key && this.#item.url === item.url;
    this.#item = item;
    part(this.#root, "notice").replaceChildren();
    if (again) return;
    const known = item.width > 0;
    this.#figure.hidden = !known;
    this.#figure.replaceChildren(part(this.#figure, "demo"));
    this.showDemo(false);
    if (!known) return;
    setProperty(this.#figure, "width", `${item.width}px`);
    setProperty(this.#figure, "height", `${item.height}px`);
    this.#setTransform(fitted(this.#bounds));
    if (item.thumbnail) this.#figure.prepend(image(item.thumbnail, item.alt));
    this.#load();
  }

  /** Remove the picture. */
  clear() {
    this.#item = null;
    this.#figure.querySelectorAll("img").forEach((image) => image.remove());
  }

  /** @param {boolean} demo whether the built-in demo model drew it */
  showDemo(demo) {
    part(this.#figure, "demo").hidden = !demo;
  }

  /** Remove the picture, and show why it is withheld. @param {Promise<HTMLElement>} tile */
  async showNotice(tile) {
    this.clear();
    this.#figure.hidden = true;
    const shown = await tile.catch(() => null);
    if (this.#item) return; // another one was opened meanwhile
    if (shown) part(this.#root, "notice").replaceChildren(shown);
    else this.fail("unavailable");
  }

  /** @param {"offline" | "gone" | "unavailable"} kind */
  fail(kind) {
    this.#error.hidden = false;
    this.#error.dataset.trouble = kind;
    setText(part(this.#error, "text"), ERRORS[kind]());
    part(this.#error, "retry").hidden = kind !== "unavailable";
  }

  /** @param {number} factor @param {Point} [at] */
  zoom(factor, at = CENTER) {
    this.#setTransform(zoomed(this.#transform, factor, at, this.#bounds), true);
  }

  /** Between fitted and its own size. @param {Point} [at] */
  toggle(at = CENTER) {
    this.zoom(toggled(this.#transform, this.#bounds) / this.#transform.scale, at);
  }

  fit() {
    this.#setTransform(fitted(this.#bounds), true);
  }

  /** @param {Point} by */
  pan({ x, y }) {
    this.#setTransform(clamped({ ...this.#transform, x: this.#transform.x + x, y: this.#transform.y + y }, this.#bounds));
  }

  /** Load the file and replace the thumbnail once it is decoded. */
  async #load() {
    const item = this.#item;
    this.#error.hidden = true;
    delete this.#error.dataset.trouble;
    if (!item?.url) return;
    const file = image(item.url, item.alt);
    setAttribute(this.#root, "aria-busy", "true");
    try {
      await file.decode();
      if (this.#item !== item) return;
      this.#figure.querySelectorAll("img").forEach((small) => small.remove());
      this.#figure.prepend(file);
    } catch {
      const kind = await whyNot(item.url);
      if (this.#item === item) this.fail(kind);
    }
    setAttribute(this.#root, "aria-busy", null);
  }

  /** Does nothing in a closed viewer. */
  #measure() {
    if (this.#root.clientWidth === 0) return;
    const wasFitted = isFitted(this.#transform, this.#bounds);
    this.#stage = { width: this.#root.clientWidth, height: this.#root.clientHeight };
    this.#setTransform(wasFitted ? fitted(this.#bounds) : clamped(this.#transform, this.#bounds));
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    const factor = Math.exp(-pixels * (event.ctrlKey ? PER_PINCH_PIXEL : PER_WHEEL_PIXEL));
    const box = this.#root.getBoundingClientRect();
    const at = { x: event.clientX - box.x - box.width / 2, y: event.clientY - box.y - box.height / 2 };
    this.#setTransform(zoomed(this.#transform, factor, at, this.#bounds));
  }

  /**
   * @param {Transform} transform
   * @param {boolean} [smoothly]
   */
  #setTransform(transform, smoothly = false) {
    this.#transform = transform;
    this.#paint(transform, smoothly);
    const percent = Math.round(transform.scale * 100);
    const isFit = isFitted(transform, this.#bounds);
    setAttribute(this.#root, "data-larger", isLarger(transform, this.#bounds));
    setAttribute(this.#root, "data-zoom", isFit ? "fit" : "own");
    this.#onZoom(isFit ? gettext("Fitted · %(n)s%", { n: percent }) : `${percent}%`);
  }

  /**
   * @param {Transform} transform
   * @param {boolean} [smoothly]
   */
  #paint({ scale, x, y }, smoothly = false) {
    setAttribute(this.#figure, "data-smooth", smoothly);
    setProperty(this.#figure, "--scale", scale.toFixed(4));
    setProperty(this.#figure, "--x", `${x.toFixed(1)}px`);
    setProperty(this.#figure, "--y", `${y.toFixed(1)}px`);
  }
}

/**
 * @param {string} src
 * @param {string} alt
 */
function image(src, alt) {
  const made = new Image();
  made.alt = alt;
  made.draggable = false;
  made.src = src;
  return made;
}

/** Why a file could not be loaded. @param {string} url @returns {Promise<"offline" | "gone" | "unavailable">} */
async function whyNot(url) {
  if (!navigator.onLine) return "offline";
  try {
    const { status } = await fetch(url, { method: "HEAD" });
    return status === 404 || status === 410 ? "gone" : "unavailable";
  } catch {
    return "unavailable";
  }
}

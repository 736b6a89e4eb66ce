// @ts-check
/** One picture on the stage: its thumbnail at once, its file when decoded, in the same place; zoom and fingers. */

import { part, setAttribute, setProperty, setText } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";
import { Gestures } from "./viewer-gestures.js";
import { fitted, held, isFitted, isLarger, toggled, zoomed } from "./viewer-zoom.js";

/** @import {Item} from "./viewer-list.js" */
/** @import {Bounds, Place, Point} from "./viewer-zoom.js" */

const MIDDLE = { x: 0, y: 0 };
const PER_WHEEL_PIXEL = 0.0015;
/** Two fingers on a touch pad arrive as small wheel turns with ctrl. */
const PER_PINCH_PIXEL = 0.01;
const LINE_PX = 16;

/** @type {Record<string, () => string>} */
const TROUBLE = {
  offline: () => gettext("This device is offline. The picture appears when the network is back."),
  gone: () => gettext("This picture is no longer there. It may have been deleted."),
  unavailable: () => gettext("The picture could not be loaded. Your other pictures are not affected."),
};

export class Stage {
  #root;
  #figure;
  #trouble;
  #onZoom;
  #place = { scale: 1, x: 0, y: 0 };
  /** @type {Item | null} */
  #item = null;
  #stage = { width: 1, height: 1 };

  /**
   * @param {HTMLElement} root
   * @param {{onZoom: (words: string) => void, onSwipe: (meant: "next" | "previous" | "close") => void}} callbacks
   */
  constructor(root, { onZoom, onSwipe }) {
    this.#root = root;
    this.#figure = part(root, "picture");
    this.#trouble = part(root, "trouble");
    this.#onZoom = onZoom;
    part(this.#trouble, "retry").addEventListener("click", () => this.#load());
    addEventListener("online", () => {
      if (this.#trouble.dataset.trouble === "offline" && root.isConnected) this.#load();
    });
    root.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => this.#measure()).observe(root);
    new Gestures(root, {
      isLarger: () => isLarger(this.#place, this.#bounds),
      pan: (by) => this.pan(by),
      pinch: (factor, at) => this.#put(zoomed(this.#place, factor, at, this.#bounds)),
      drag: (by) => this.#paint({ ...this.#place, ...by }),
      release: () => this.#put(this.#place, true),
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
    if (again) return;
    const known = item.width > 0;
    this.#figure.hidden = !known;
    this.#figure.replaceChildren(part(this.#figure, "demo"));
    this.showDemo(false);
    if (!known) return;
    setProperty(this.#figure, "width", `${item.width}px`);
    setProperty(this.#figure, "height", `${item.height}px`);
    this.#put(fitted(this.#bounds));
    if (item.thumbnail) this.#figure.prepend(image(item.thumbnail, item.alt));
    this.#load();
  }

  /** The next one is not shown as the last one was left. */
  clear() {
    this.#item = null;
    this.#figure.querySelectorAll("img").forEach((image) => image.remove());
  }

  /** @param {boolean} demo whether the built-in demo model drew it */
  showDemo(demo) {
    part(this.#figure, "demo").hidden = !demo;
  }

  /** @param {"offline" | "gone" | "unavailable"} kind */
  fail(kind) {
    this.#trouble.hidden = false;
    this.#trouble.dataset.trouble = kind;
    setText(part(this.#trouble, "text"), TROUBLE[kind]());
    part(this.#trouble, "retry").hidden = kind !== "unavailable";
  }

  /** @param {number} factor @param {Point} [at] */
  zoom(factor, at = MIDDLE) {
    this.#put(zoomed(this.#place, factor, at, this.#bounds), true);
  }

  /** Between fitted and its own size. @param {Point} [at] */
  toggle(at = MIDDLE) {
    this.zoom(toggled(this.#place, this.#bounds) / this.#place.scale, at);
  }

  fit() {
    this.#put(fitted(this.#bounds), true);
  }

  /** @param {Point} by */
  pan({ x, y }) {
    this.#put(held({ ...this.#place, x: this.#place.x + x, y: this.#place.y + y }, this.#bounds));
  }

  /** The file, in front of its thumbnail once it can be drawn without a gap. */
  async #load() {
    const item = this.#item;
    this.#trouble.hidden = true;
    delete this.#trouble.dataset.trouble;
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

  /** Of a closed viewer there is nothing to measure. */
  #measure() {
    if (this.#root.clientWidth === 0) return;
    const wasFitted = isFitted(this.#place, this.#bounds);
    this.#stage = { width: this.#root.clientWidth, height: this.#root.clientHeight };
    this.#put(wasFitted ? fitted(this.#bounds) : held(this.#place, this.#bounds));
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault();
    const turned = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE_PX : 1);
    const factor = Math.exp(-turned * (event.ctrlKey ? PER_PINCH_PIXEL : PER_WHEEL_PIXEL));
    const box = this.#root.getBoundingClientRect();
    const at = { x: event.clientX - box.x - box.width / 2, y: event.clientY - box.y - box.height / 2 };
    this.#put(zoomed(this.#place, factor, at, this.#bounds));
  }

  /**
   * @param {Place} place
   * @param {boolean} [smoothly]
   */
  #put(place, smoothly = false) {
    this.#place = place;
    this.#paint(place, smoothly);
    const percent = Math.round(place.scale * 100);
    const isFit = isFitted(place, this.#bounds);
    setAttribute(this.#root, "data-larger", isLarger(place, this.#bounds));
    setAttribute(this.#root, "data-zoom", isFit ? "fit" : "own");
    this.#onZoom(isFit ? gettext("Fitted · %(n)s%", { n: percent }) : `${percent}%`);
  }

  /**
   * @param {Place} place
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

/** Why a file did not come. @param {string} url @returns {Promise<"offline" | "gone" | "unavailable">} */
async function whyNot(url) {
  if (!navigator.onLine) return "offline";
  try {
    const { status } = await fetch(url, { method: "HEAD" });
    return status === 404 || status === 410 ? "gone" : "unavailable";
  } catch {
    return "unavailable";
  }
}

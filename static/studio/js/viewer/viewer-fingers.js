// @ts-check
/** What mouse, pen and fingers do on the stage: pan, pinch, swipe, tap twice. */

import { swipe } from "./viewer-zoom.js";

/** @import {Point} from "./viewer-zoom.js" */

/**
 * @typedef {object} Meanings
 * @property {() => boolean} isLarger whether there is something to pan
 * @property {(by: Point) => void} pan
 * @property {(factor: number, at: Point) => void} pinch
 * @property {(by: Point) => void} drag the whole way of a swipe that is not over yet
 * @property {() => void} letGo
 * @property {(at: Point) => void} tapTwice
 * @property {(meant: "next" | "previous" | "close") => void} swipe
 */

const TAP_PX = 10;
const TWICE_MS = 320;
const TWICE_PX = 32;

/** @typedef {{x: number, y: number, at: number}} Touch `at` in milliseconds */

export class Fingers {
  #root;
  #means;
  /** @type {Map<number, Point>} */
  #down = new Map();
  /** Where a single pointer came down; null once it was more than one. @type {Touch | null} */
  #from = null;
  /** @type {Touch | null} */
  #lastTap = null;

  /**
   * @param {HTMLElement} root
   * @param {Meanings} means
   */
  constructor(root, means) {
    this.#root = root;
    this.#means = means;
    root.addEventListener("pointerdown", (event) => this.#press(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    root.addEventListener("pointerup", (event) => this.#lift(event));
    root.addEventListener("pointercancel", (event) => {
      this.#down.delete(event.pointerId);
      this.#from = null;
      means.letGo();
    });
  }

  /** @param {PointerEvent} event */
  #press(event) {
    if (event.button !== 0 || (event.target instanceof Element && event.target.closest("button, a"))) return;
    this.#root.setPointerCapture(event.pointerId);
    this.#down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.#from = this.#down.size === 1 ? { x: event.clientX, y: event.clientY, at: event.timeStamp } : null;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const before = this.#down.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const other = [...this.#down].find(([id]) => id !== event.pointerId)?.[1];
    this.#down.set(event.pointerId, now);
    if (other) {
      const factor = distance(now, other) / Math.max(1, distance(before, other));
      this.#means.pinch(factor, this.#fromMiddle({ x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }));
      this.#means.pan({ x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 });
    } else if (this.#means.isLarger()) {
      this.#means.pan({ x: now.x - before.x, y: now.y - before.y });
    } else if (this.#from && event.pointerType !== "mouse") {
      this.#means.drag(straight({ x: now.x - this.#from.x, y: now.y - this.#from.y }));
    }
  }

  /** @param {PointerEvent} event */
  #lift(event) {
    if (!this.#down.delete(event.pointerId)) return;
    const from = this.#from;
    this.#from = null;
    if (!from) return;
    const moved = { x: event.clientX - from.x, y: event.clientY - from.y };
    if (Math.hypot(moved.x, moved.y) <= TAP_PX) {
      this.#means.letGo();
      this.#tap(event);
    } else if (event.pointerType !== "mouse" && !this.#means.isLarger()) {
      const meant = swipe(moved, event.timeStamp - from.at);
      this.#means.letGo();
      if (meant) this.#means.swipe(meant);
    }
  }

  /** @param {PointerEvent} event */
  #tap({ clientX: x, clientY: y, timeStamp: at }) {
    const last = this.#lastTap;
    const twice = last !== null && at - last.at <= TWICE_MS && distance(last, { x, y }) <= TWICE_PX;
    this.#lastTap = twice ? null : { x, y, at };
    if (twice) this.#means.tapTwice(this.#fromMiddle({ x, y }));
  }

  /** @param {Point} point of the window */
  #fromMiddle({ x, y }) {
    const box = this.#root.getBoundingClientRect();
    return { x: x - box.x - box.width / 2, y: y - box.y - box.height / 2 };
  }
}

/**
 * @param {Point} a
 * @param {Point} b
 */
const distance = (a, b) => Math.hypot(a.x - b.x, a.y - b.y);

/** A swipe goes one way; up means nothing. @param {Point} by */
const straight = ({ x, y }) => (Math.abs(x) >= Math.abs(y) ? { x, y: 0 } : { x: 0, y: Math.max(0, y) });

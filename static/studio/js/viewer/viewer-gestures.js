// @ts-check
/** Gestures of mouse, pen and fingers on the stage: pan, pinch, swipe, double tap. */

/** @import {Point} from "./viewer-zoom.js" */

/**
 * @typedef {object} Handlers
 * @property {() => boolean} isLarger whether the picture can be panned
 * @property {(by: Point) => void} pan
 * @property {(factor: number, at: Point) => void} pinch
 * @property {(by: Point) => void} drag the distance so far of an unfinished swipe
 * @property {() => void} release
 * @property {(at: Point) => void} doubleTap
 * @property {(action: "next" | "previous" | "close") => void} swipe
 */

const TAP_PX = 10;
const SWIPE_PX = 56;
/** A flick may be shorter. Pixels per millisecond. */
const FLICK = 0.5;
const LEAST_FLICK_PX = 20;
const TWICE_MS = 320;
const TWICE_PX = 32;

/** @typedef {{x: number, y: number, at: number}} Touch `at` in milliseconds */

export class Gestures {
  #root;
  #handlers;
  /** @type {Map<number, Point>} */
  #down = new Map();
  /** Where a single pointer came down; null with several pointers. @type {Touch | null} */
  #from = null;
  /** @type {Touch | null} */
  #lastTap = null;

  /**
   * @param {HTMLElement} root
   * @param {Handlers} handlers
   */
  constructor(root, handlers) {
    this.#root = root;
    this.#handlers = handlers;
    root.addEventListener("pointerdown", (event) => this.#press(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    root.addEventListener("pointerup", (event) => this.#lift(event));
    root.addEventListener("pointercancel", (event) => {
      this.#down.delete(event.pointerId);
      this.#from = null;
      handlers.release();
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
      this.#handlers.pinch(factor, this.#fromMiddle({ x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }));
      this.#handlers.pan({ x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 });
    } else if (this.#handlers.isLarger()) {
      this.#handlers.pan({ x: now.x - before.x, y: now.y - before.y });
    } else if (this.#from && event.pointerType !== "mouse") {
      this.#handlers.drag(straight({ x: now.x - this.#from.x, y: now.y - this.#from.y }));
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
      this.#handlers.release();
      this.#tap(event);
    } else if (event.pointerType !== "mouse" && !this.#handlers.isLarger()) {
      const action = swipe(moved, event.timeStamp - from.at);
      this.#handlers.release();
      if (action) this.#handlers.swipe(action);
    }
  }

  /** @param {PointerEvent} event */
  #tap({ clientX: x, clientY: y, timeStamp: at }) {
    const last = this.#lastTap;
    const twice = last !== null && at - last.at <= TWICE_MS && distance(last, { x, y }) <= TWICE_PX;
    this.#lastTap = twice ? null : { x, y, at };
    if (twice) this.#handlers.doubleTap(this.#fromMiddle({ x, y }));
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

/** A swipe has one direction; up does nothing. @param {Point} by */
const straight = ({ x, y }) => (Math.abs(x) >= Math.abs(y) ? { x, y: 0 } : { x: 0, y: Math.max(0, y) });

/**
 * The action of a swipe.
 *
 * @param {Point} moved pixels
 * @param {number} ms
 * @returns {"next" | "previous" | "close" | null}
 */
export function swipe({ x, y }, ms) {
  const [across, down] = [Math.abs(x), Math.abs(y)];
  const distance = Math.max(across, down);
  const flicked = distance >= LEAST_FLICK_PX && distance / Math.max(1, ms) >= FLICK;
  if (distance < SWIPE_PX && !flicked) return null;
  if (across >= down) return x < 0 ? "next" : "previous";
  return y > 0 ? "close" : null;
}

// @ts-check
/** What is said to those who listen: one sentence at most every five seconds, the newest wins; a lost line once. */

import { gettext } from "./i18n.js";

const PAUSE_MS = 5_000;
const MARKS = [75, 50, 25];

export class Announcer {
  #region;
  #spokenAt = -Infinity;
  /** @type {string | null} */
  #next = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} region */
  constructor(region) {
    this.#region = region;
  }

  /** @param {string} sentence */
  say(sentence) {
    this.#next = sentence;
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#spokenAt + PAUSE_MS - performance.now());
    this.#timer = setTimeout(() => this.#speak(), wait);
  }

  #speak() {
    this.#timer = undefined;
    this.#spokenAt = performance.now();
    this.#region.textContent = this.#next ?? "";
    this.#next = null;
  }
}

/** A break that heals within a moment is not worth an interruption. */
export class LossAlarm {
  #region;
  #afterMs;
  #lost = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLElement} region
   * @param {number} afterMs
   */
  constructor(region, afterMs) {
    this.#region = region;
    this.#afterMs = afterMs;
  }

  /** @param {boolean} lost */
  show(lost) {
    if (lost === this.#lost) return;
    this.#lost = lost;
    clearTimeout(this.#timer);
    if (lost) this.#timer = setTimeout(() => (this.#region.textContent = gettext("The connection is lost.")), this.#afterMs);
    else this.#region.textContent = "";
  }
}

/**
 * The highest of 25, 50, 75 that was passed between two percents.
 *
 * @param {number} before
 * @param {number} after
 * @returns {number | null}
 */
export const markPassed = (before, after) => MARKS.find((mark) => before < mark && after >= mark) ?? null;

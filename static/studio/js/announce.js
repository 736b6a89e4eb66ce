// @ts-check
/** What is said to those who listen: one sentence at most every five seconds, the newest wins. */

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
    this.#timer = setTimeout(() => this.#speak(), Math.max(0, this.#spokenAt + PAUSE_MS - performance.now()));
  }

  #speak() {
    this.#timer = undefined;
    this.#spokenAt = performance.now();
    this.#region.textContent = this.#next ?? "";
    this.#next = null;
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

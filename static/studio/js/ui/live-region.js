// @ts-check
/** What is said to those who listen: one sentence at most every five seconds, the newest wins. */

const PAUSE_MS = 5_000;
const MARKS = [75, 50, 25];

/** @param {HTMLElement} region */
export function createLiveRegion(region) {
  let spokenAt = -Infinity;
  /** @type {string | null} */
  let next = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @param {string} sentence */
  function say(sentence) {
    next = sentence;
    if (timer !== undefined) return;
    timer = setTimeout(speak, Math.max(0, spokenAt + PAUSE_MS - performance.now()));
  }

  function speak() {
    timer = undefined;
    spokenAt = performance.now();
    region.textContent = next ?? "";
    next = null;
  }

  return { say };
}

/** @typedef {ReturnType<typeof createLiveRegion>} LiveRegion */

/**
 * The highest of 25, 50, 75 that was passed between two percents.
 *
 * @param {number} before
 * @param {number} after
 * @returns {number | null}
 */
export const markPassed = (before, after) => MARKS.find((mark) => before < mark && after >= mark) ?? null;

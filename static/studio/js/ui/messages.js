// @ts-check
/** Short messages: toasts at the edge of the page, and sentences for screen readers. */

import { Parts, clone, find, on } from "../lib/dom.js";

const PLAIN_MS = 6_000;
/** Long enough to read what was done, find the button and press it. */
const ACTION_MS = 12_000;
const MOST_AT_ONCE = 3;
const PAUSE_MS = 5_000;

/**
 * @param {string} text
 * @param {"fail" | "plain"} tone a failure stays until it is closed
 * @param {{label: string, run: () => void}} [action] a button in it
 */
export function toast(text, tone, action) {
  const alerts = find(document, "#alerts", HTMLElement);
  const note = clone("toast-template");
  const parts = new Parts(note);
  const close = () => note.remove();
  parts.setData({ tone });
  if (tone === "plain") find(note, "use", SVGUseElement).setAttribute("href", "#i-check");
  parts.setTexts({ text });
  parts.setShown({ action: !!action });
  on(parts.get("close"), "click", close);
  if (action) {
    parts.setTexts({ action: action.label });
    on(parts.get("action"), "click", () => {
      close();
      action.run();
    });
  }
  while (alerts.childElementCount >= MOST_AT_ONCE) alerts.firstElementChild?.remove();
  alerts.append(note);
  // not while the user may be about to press its button
  const leave = () => (note.matches(":hover, :focus-within") ? setTimeout(leave, PLAIN_MS) : close());
  if (tone === "plain") setTimeout(leave, action ? ACTION_MS : PLAIN_MS);
}

let announcedAt = -Infinity;
let sentence = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Let screen readers say one sentence every PAUSE_MS at most; a newer one replaces one that waits. @param {string} text */
export function announce(text) {
  sentence = text;
  timer ??= setTimeout(() => {
    timer = undefined;
    announcedAt = performance.now();
    find(document, "#live-region", HTMLElement).textContent = sentence;
  }, Math.max(0, announcedAt + PAUSE_MS - performance.now()));
}

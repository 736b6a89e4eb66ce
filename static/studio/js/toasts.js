// @ts-check
/** Short messages at the edge of the page. */

import { clone, find, part, setText } from "./dom.js";

const PLAIN_MS = 6_000;
/** Long enough to read what was done, find the button and press it. */
const ACTION_MS = 12_000;
const MOST_AT_ONCE = 3;

/**
 * @param {string} text
 * @param {"fail" | "plain"} tone a failure stays until it is closed
 * @param {{label: string, run: () => void}} [action] a button in it
 */
export function toast(text, tone, action) {
  const alerts = find(document, "#alerts", HTMLElement);
  const note = clone("toast-template");
  note.dataset.tone = tone;
  setText(part(note, "text"), text);
  const button = find(note, "[data-part='action']", HTMLButtonElement);
  button.hidden = !action;
  if (action) {
    setText(button, action.label);
    button.addEventListener("click", () => {
      note.remove();
      action.run();
    });
  }
  find(note, "[data-part='close']", HTMLButtonElement).addEventListener("click", () => note.remove());
  while (alerts.childElementCount >= MOST_AT_ONCE) alerts.firstElementChild?.remove();
  alerts.append(note);
  if (tone === "plain") setTimeout(() => note.remove(), action ? ACTION_MS : PLAIN_MS);
}

// @ts-check
/** Keys of the page: from card to card, and the list of all keys; loaded with the first key. */

import { clone, find, loadStyles, part } from "../lib/dom.js";
import { isSwitchedOff, isTyping, switchOff } from "../viewer/viewer-keys.js";

/** @param {KeyboardEvent} event */
export function press(event) {
  const { key, ctrlKey, metaKey, altKey, target } = event;
  if (ctrlKey || metaKey || altKey || isSwitchedOff() || isTyping(target) || document.querySelector("dialog[open]")) return;
  if (key === "?") void help();
  else walk(key.toLowerCase() === "j" ? 1 : -1);
}

/** To the next card that is shown. @param {1 | -1} by */
function walk(by) {
  const cards = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#task-list .card")]).filter((card) => card.checkVisibility());
  const here = cards.findIndex((card) => card.contains(document.activeElement));
  const card = cards[here < 0 ? 0 : Math.min(cards.length - 1, Math.max(0, here + by))];
  if (!card) return;
  part(card, "link").focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

export async function help() {
  await loadStyles(document.getElementById("keys-template")).catch(() => {}); // works without styles
  const dialog = /** @type {HTMLDialogElement} */ (clone("keys-template"));
  const box = find(dialog, "input", HTMLInputElement);
  box.checked = !isSwitchedOff();
  box.addEventListener("change", () => {
    switchOff(!box.checked);
    for (const other of document.querySelectorAll("[data-part='shortcuts']")) /** @type {HTMLInputElement} */ (other).checked = box.checked;
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

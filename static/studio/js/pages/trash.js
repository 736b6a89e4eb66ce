// @ts-check
/** Entry of the trash page: shows what other windows delete and restore. */

import { fetchUnchanged } from "../card/actions.js";
import { find, setText } from "../lib/dom.js";
import { listenToMenus } from "../ui/menus.js";

const trash = find(document, "#trash", HTMLElement);
let newest = 0;

/** @param {ParentNode} root */
const items = (root) => /** @type {HTMLElement[]} */ ([...root.querySelectorAll(".trash-item")]);
/** @param {ParentNode} item */
const keyOf = (item) => find(item, "input", HTMLInputElement).value;

/** @returns {Promise<HTMLElement>} the trash as it is now; rejects if the request fails or is redirected */
async function fetchTrash() {
  const response = await fetch(location.href);
  if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
  return find(new DOMParser().parseFromString(await response.text(), "text/html"), "#trash", HTMLElement);
}

/** Does nothing if a later call is faster or if the request fails. */
async function refresh() {
  const request = ++newest;
  const fresh = await fetchUnchanged(fetchTrash).catch(() => null);
  if (fresh && request === newest && items(fresh).map(keyOf).join() !== items(trash).map(keyOf).join()) show(fresh);
}

/** Items that stay keep their element, and with it their picture, their mark and the focus. @param {HTMLElement} fresh */
function show(fresh) {
  const focused = /** @type {HTMLInputElement | null} */ (trash.querySelector(":focus"));
  const isOpen = trash.querySelector("details")?.open ?? false; // an empty trash has none
  const old = new Map(items(trash).map((item) => [keyOf(item), item]));
  for (const item of items(fresh)) {
    const same = old.get(keyOf(item));
    if (!same) continue;
    setText(find(same, ".hint", HTMLElement), find(item, ".hint", HTMLElement).textContent?.trim() ?? "");
    item.replaceWith(same);
  }
  fresh.querySelector("details")?.toggleAttribute("open", isOpen);
  trash.replaceChildren(...fresh.childNodes);
  if (!focused) return;
  const same = trash.querySelector(`[value="${focused.value}"]`) ?? trash.querySelector("input, a");
  if (same instanceof HTMLElement) same.focus({ preventScroll: true });
}

listenToMenus();
for (const event of ["studio:deleted", "visibilitychange"]) document.addEventListener(event, () => document.hidden || refresh());
import("../connection/other-windows.js").then(({ listenToOtherWindows }) => listenToOtherWindows(trash, refresh), () => {}); // offline: no changes from other windows

// @ts-check
/** Menus (`details[data-menu]`) close on a click elsewhere and on Escape; also loads focus.js and page-keys.js. */

import { closest, on } from "../lib/dom.js";

/** Menus below this share of the window open upwards. */
const LOW = 0.55;

/** @param {(menu: Element) => boolean} isToClose */
function close(isToClose) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (isToClose(menu)) menu.removeAttribute("open");
  }
}

const loadKeys = () => import("./page-keys.js");

export function listenToMenus() {
  const keep = () => import("./focus.js").then(({ restoreFocus }) => restoreFocus(), () => {});
  on(document, "focusin", keep, { once: true });
  document.querySelector("[data-keys]")?.removeAttribute("hidden");
  on(document, "toggle", ({ target }) => {
    if (!(target instanceof Element) || !target.matches("[data-menu][open]")) return;
    target.toggleAttribute("data-up", target.getBoundingClientRect().top > innerHeight * LOW);
  }, true);
  on(document, "click", (event) => {
    if (closest(event, "[data-keys]")) loadKeys().then(({ help }) => help(), () => {});
    close((menu) => event.target instanceof Node && !menu.contains(event.target));
  });
  on(document, "keydown", (event) => {
    const { key } = event;
    if (/^[jk?]$/i.test(key)) loadKeys().then(({ press }) => press(event), () => {});
    if (key !== "Escape") return;
    close((menu) => {
      menu.querySelector("summary")?.focus();
      return true;
    });
  });
}

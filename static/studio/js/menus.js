// @ts-check
/** Menus (`details[data-menu]`) close on a click elsewhere and on Escape. */

/** Below this share of the window a menu opens upwards. */
const LOW = 0.55;

/** @param {(menu: Element) => boolean} isToClose */
function close(isToClose) {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (isToClose(menu)) menu.removeAttribute("open");
  }
}

export function listenToMenus() {
  document.addEventListener("toggle", ({ target }) => {
    if (!(target instanceof Element) || !target.matches("[data-menu][open]")) return;
    target.toggleAttribute("data-up", target.getBoundingClientRect().top > innerHeight * LOW);
  }, true);
  document.addEventListener("click", ({ target }) => close((menu) => target instanceof Node && !menu.contains(target)));
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    close((menu) => {
      menu.querySelector("summary")?.focus();
      return true;
    });
  });
}

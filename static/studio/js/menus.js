// @ts-check
/** Menus (`details[data-menu]`) close on a click elsewhere and on Escape. */

const openMenus = () => document.querySelectorAll("details[data-menu][open]");

export function listenToMenus() {
  document.addEventListener("click", ({ target }) => {
    for (const menu of openMenus()) {
      if (target instanceof Node && !menu.contains(target)) menu.removeAttribute("open");
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.removeAttribute("open");
      menu.querySelector("summary")?.focus();
    }
  });
}

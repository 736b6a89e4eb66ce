// @ts-check
/** Menus (`details[data-menu]`) close on a click elsewhere and on Escape. */

const openMenus = () => document.querySelectorAll("details[data-menu][open]");

/** Below this share of the window a menu opens upwards. */
const LOW = 0.55;

export function listenToMenus() {
  document.addEventListener("toggle", ({ target }) => {
    if (!(target instanceof HTMLDetailsElement) || !target.matches("[data-menu][open]")) return;
    target.toggleAttribute("data-up", target.getBoundingClientRect().top > innerHeight * LOW);
  }, { capture: true });
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

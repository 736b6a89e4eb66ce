// @ts-check
/** Keys of the review page; they can be turned off and never act while one types. */

const SWITCH = "studio.review-keys";

export function areKeysOn() {
  try {
    return localStorage.getItem(SWITCH) !== "off";
  } catch {
    return true;
  }
}

/** @param {boolean} on */
export function switchKeys(on) {
  try {
    localStorage.setItem(SWITCH, on ? "on" : "off");
  } catch {
    // storage is forbidden: they stay on
  }
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !["checkbox", "radio", "button", "submit"].includes(target.type);
  return target.matches("textarea, select, [contenteditable]");
}

/**
 * What the page can do.
 *
 * @typedef {object} Desk
 * @property {HTMLElement} root the part about one picture
 * @property {() => boolean} isGrid
 * @property {(on: boolean) => void} setGrid
 * @property {(state: string, reason?: "note") => void} decide
 * @property {() => void} approveSelected
 * @property {() => Promise<void>} undoLast
 * @property {() => void} zoom
 * @property {(by: 1 | -1) => void} walk
 * @property {(id: number, href: string | null) => void} go
 * @property {() => void} showHelp
 */

/** By key. @param {Desk} desk @returns {Record<string, (event: KeyboardEvent) => void>} */
function actionsOf(desk) {
  /** @returns {HTMLDetailsElement | null} */
  const hidePanel = () => desk.root.querySelector("[data-part='hide']");
  return {
    a: () => (desk.isGrid() ? desk.approveSelected() : desk.decide("approved")),
    f: () => desk.isGrid() || desk.decide("flagged"),
    h: () => {
      const panel = hidePanel();
      if (!panel || desk.isGrid()) return;
      panel.open = !panel.open;
      if (panel.open) panel.scrollIntoView({ block: "nearest" });
    },
    n: (event) => {
      event.preventDefault();
      /** @type {HTMLElement | null} */ (desk.root.querySelector("[data-part='note']"))?.focus();
    },
    u: () => void desk.undoLast(),
    z: () => desk.isGrid() || desk.zoom(),
    g: () => desk.setGrid(!desk.isGrid()),
    j: () => desk.walk(1),
    k: () => desk.walk(-1),
    "?": () => desk.showHelp(),
    // a reason while they are shown; else a picture of the same task
    digit: ({ key }) => {
      const index = Number(key) - 1;
      const panel = hidePanel();
      if (panel?.open) return panel.querySelectorAll("button")[index]?.click();
      const link = desk.root.querySelectorAll("[data-sibling]")[index];
      if (link instanceof HTMLElement) desk.go(Number(link.dataset.sibling), link.getAttribute("href"));
    },
    ArrowRight: () => desk.walk(1),
    ArrowLeft: () => desk.walk(-1),
    Enter: () => hidePanel()?.open && desk.decide("hidden", "note"),
    Escape: () => {
      const panel = hidePanel();
      if (panel?.open) panel.open = false;
      else if (desk.isGrid()) desk.setGrid(false);
    },
  };
}

/** Held down, a key must not decide about picture after picture. @param {Desk} desk */
export function listenToKeys(desk) {
  const actions = actionsOf(desk);
  document.addEventListener("keydown", (event) => {
    const { key, target, ctrlKey, metaKey, altKey, isComposing, repeat } = event;
    if (ctrlKey || metaKey || altKey || isComposing || document.querySelector("dialog[open]")) return;
    if (isTyping(target)) {
      if (key === "Escape" && target instanceof HTMLElement) target.blur();
      return;
    }
    const name = key.length === 1 ? key.toLowerCase() : key;
    const action = actions[/^[1-9]$/.test(name) ? "digit" : name];
    if (!action || !areKeysOn() || (repeat && !name.startsWith("Arrow"))) return;
    if (name === "Enter" && target instanceof Element && target.closest("a, button, summary, input")) return;
    action(event);
  });
}

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

/** Held down, a key must not decide about picture after picture.
 * @param {Record<string, (event: KeyboardEvent) => void>} actions by key */
export function listenToKeys(actions) {
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

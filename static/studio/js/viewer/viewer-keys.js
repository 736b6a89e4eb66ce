// @ts-check
/** Keys of the viewer. Single-character keys can be switched off on this device. */

/** @typedef {"previous" | "next" | "first" | "last" | "larger" | "smaller" | "fit" | "toggle" | "favourite" | "download" | "delete" | "undo" | "panel"} Action */
/** @typedef {Record<Action, () => void> & {pan: (x: number, y: number) => void}} Actions `pan` in steps */

const OFF = "studio.viewer.keys-off";

/** @type {Record<string, Action>} */
const KEYS = { ArrowLeft: "previous", ArrowRight: "next", Home: "first", End: "last", Delete: "delete" };

/** @type {Record<string, Action>} */
const CHARACTERS = {
  "+": "larger", "=": "larger", "-": "smaller", "0": "fit",
  z: "toggle", f: "favourite", d: "download", u: "undo", i: "panel",
};

/** @type {Record<string, [number, number]>} */
const PANS = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * The action of a key.
 *
 * @param {{key: string, shiftKey: boolean}} event
 * @param {boolean} characters whether keys of a single character are on
 * @returns {Action | [number, number] | null}
 */
export function actionOf({ key, shiftKey }, characters) {
  if (shiftKey && PANS[key]) return PANS[key];
  if (KEYS[key]) return KEYS[key];
  return (characters && CHARACTERS[key.toLowerCase()]) || null;
}

export class Shortcuts {
  #box;

  /**
   * @param {HTMLElement} box the checkbox that switches them
   * @param {() => boolean} isOn whether the viewer receives keys now
   * @param {Actions} actions
   */
  constructor(box, isOn, actions) {
    this.#box = /** @type {HTMLInputElement} */ (box);
    this.#box.checked = !isSwitchedOff();
    this.#box.addEventListener("change", () => switchOff(!this.#box.checked));
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || !isOn()) return;
      const action = actionOf(event, this.#box.checked);
      if (action === null) return;
      event.preventDefault();
      if (typeof action === "string") actions[action]();
      else actions.pan(...action);
    });
  }
}

/** @param {EventTarget | null} target */
export const isTyping = (target) =>
  target instanceof Element && target.matches("input:not([type='checkbox'], [type='radio'], [type='range']), textarea, select, [contenteditable]");

/** Whether keys of a single character are off, on this device. */
export function isSwitchedOff() {
  try {
    return localStorage.getItem(OFF) !== null;
  } catch {
    return false;
  }
}

/** @param {boolean} off */
export function switchOff(off) {
  try {
    if (off) localStorage.setItem(OFF, "1");
    else localStorage.removeItem(OFF);
  } catch {
    // storage is forbidden: valid until the page is closed
  }
}

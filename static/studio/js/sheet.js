// @ts-check
/** On narrow screens the composer is docked and opens as a sheet; nothing behind it can be reached. */

import { find, setAttribute } from "./dom.js";

const BEHIND = ".bar, .feed, .recent";

export class Sheet {
  #form;
  #opener;

  /**
   * @param {HTMLFormElement} form
   * @param {() => void} opened
   */
  constructor(form, opened) {
    this.#form = form;
    this.#opener = find(form, "[data-sheet-open]", HTMLButtonElement);
    this.#opener.addEventListener("click", () => {
      this.open();
      opened();
    });
    find(form, "[data-sheet-close]", HTMLButtonElement).addEventListener("click", () => this.close());
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    document.addEventListener("pointerdown", (event) => {
      if (event.target instanceof Node && !form.contains(event.target)) this.close();
    });
    // wide again (a turned tablet): there is no sheet any more, so nothing may stay out of reach
    matchMedia("(min-width: 768px)").addEventListener("change", () => this.close());
  }

  get isOpen() {
    return this.#form.hasAttribute("data-open");
  }

  open() {
    if (getComputedStyle(this.#opener).display !== "none") this.#set(true);
  }

  close() {
    if (!this.isOpen) return;
    this.#set(false);
    this.#opener.focus({ preventScroll: true });
  }

  /** @param {boolean} open */
  #set(open) {
    setAttribute(this.#form, "data-open", open);
    setAttribute(this.#opener, "aria-expanded", String(open));
    for (const other of document.querySelectorAll(BEHIND)) {
      if (other instanceof HTMLElement) other.inert = open;
    }
  }
}

// @ts-check
/** On narrow screens the composer is docked and opens as a modal sheet. */

import { find } from "../lib/dom.js";

const BEHIND = ".bar, .task-list, .recent";

export class Sheet {
  #form;
  #details;
  #opener;
  #docked;
  #opened;

  /**
   * @param {HTMLFormElement} form
   * @param {MediaQueryList} docked matches while the composer is docked
   * @param {() => void} opened
   */
  constructor(form, docked, opened) {
    this.#form = form;
    this.#details = find(form, "[data-sheet]", HTMLDetailsElement);
    this.#opener = find(form, "[data-sheet] summary", HTMLElement);
    this.#docked = docked;
    this.#opened = opened;
    this.#opener.addEventListener("click", (event) => {
      event.preventDefault();
      if (this.isOpen) this.close();
      else this.open();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    document.addEventListener("pointerdown", (event) => {
      if (event.target instanceof Node && !form.contains(event.target)) this.close();
    });
    // a rotated tablet is wide again, without a sheet: nothing may stay inert
    docked.addEventListener("change", () => this.#set(false));
    if (this.#details.open) this.open(); // before this script was loaded
  }

  get isOpen() {
    return this.#details.open;
  }

  /** Does nothing on wide screens, where the form is always open. */
  open() {
    if (!this.#docked.matches) return;
    this.#set(true);
    const focused = document.activeElement;
    if (focused === this.#opener || !this.#form.contains(focused)) this.#opened();
  }

  close() {
    if (!this.isOpen) return;
    this.#set(false);
    this.#opener.focus({ preventScroll: true });
  }

  /** @param {boolean} open */
  #set(open) {
    this.#details.open = open;
    for (const other of document.querySelectorAll(BEHIND)) {
      if (other instanceof HTMLElement) other.inert = open;
    }
  }
}

// @ts-check
/** "Cancel all waiting": one press asks, a second one within four seconds does it. */

import { find, setAttribute, setText } from "./dom.js";
import { fill, gettext, ngettext } from "./i18n.js";

const CONFIRM_MS = 4_000;

export class CancelWaiting {
  #button = find(document, "#cancel-waiting", HTMLButtonElement);
  #words = find(this.#button, "[data-part='words']", HTMLElement);
  #waiting;
  #cancel;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #asking;

  /**
   * @param {{waiting: () => string[], cancel: (taskId: string) => void}} parts `waiting`: ids of tasks in line
   */
  constructor({ waiting, cancel }) {
    this.#waiting = waiting;
    this.#cancel = cancel;
    this.#button.addEventListener("click", () => this.#press());
    this.refresh();
  }

  refresh() {
    const n = this.#waiting().length;
    if (n === 0) this.#stopAsking();
    this.#button.hidden = n === 0;
    const asking = this.#asking !== undefined;
    const question = ngettext("Cancel %(n)s waiting task?", "Cancel %(n)s waiting tasks?", n);
    setText(this.#words, asking ? fill(question, { n }) : gettext("Cancel all waiting"));
    setAttribute(this.#button, "data-asking", asking);
  }

  #press() {
    if (this.#asking === undefined) {
      this.#asking = setTimeout(() => this.#stopAsking(), CONFIRM_MS);
      this.refresh();
      return;
    }
    this.#stopAsking();
    for (const taskId of this.#waiting()) this.#cancel(taskId);
  }

  #stopAsking() {
    if (this.#asking === undefined) return;
    clearTimeout(this.#asking);
    this.#asking = undefined;
    this.refresh();
  }
}

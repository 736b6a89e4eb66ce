// @ts-check
/** The queue as one line that opens: many waiting cards must not stand between what runs and what is done. */

import { Face, find, setAttribute } from "./dom.js";
import { gettext, ngettext } from "./i18n.js";

/** @import {Card} from "./card.js" */

/** So many queued cards stand in the list themselves. */
const MOST_SHOWN = 3;

export class QueueFold {
  element = find(document, "#queue", HTMLElement);
  #section;
  #face = new Face(this.element);
  #button = find(this.element, "button", HTMLButtonElement);
  #isOpen = false;

  /** @param {HTMLElement} section that holds the cards */
  constructor(section) {
    this.#section = section;
    this.#button.addEventListener("click", () => this.#toggle(!this.#isOpen));
  }

  /** @param {Card[]} queued in the order of the queue */
  show(queued) {
    const many = queued.length > MOST_SHOWN;
    this.element.hidden = !many;
    setAttribute(this.#section, "data-queue", many && !this.#isOpen ? "folded" : null);
    const [first] = queued;
    if (first && this.element.nextElementSibling !== first.element) first.element.before(this.element);
    if (!many) return;
    this.#face.tell({
      count: ngettext("%(n)s task in the queue", "%(n)s tasks in the queue", queued.length),
      next: first.task.prompt,
    });
  }

  open() {
    this.#toggle(true);
  }

  /** @param {boolean} open */
  #toggle(open) {
    this.#isOpen = open;
    setAttribute(this.#button, "aria-expanded", String(open));
    setAttribute(this.#section, "data-queue", open ? null : "folded");
    this.#face.tell({ words: open ? gettext("Fold them") : gettext("Show them") });
  }
}

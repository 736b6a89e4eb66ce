// @ts-check
/** A long queue folded into one row, so that running and finished cards stay close together. */

import { Parts, find, setAttribute } from "../lib/dom.js";
import { gettext, ngettext } from "../lib/i18n.js";

/** @import {Card} from "./card.js" */

/** @typedef {ReturnType<typeof createQueueFold>} QueueFold */

/**
 * @param {HTMLElement} element the row
 * @param {HTMLElement} section that holds the cards
 */
export function createQueueFold(element, section) {
  const parts = new Parts(element);
  const button = find(element, "button", HTMLButtonElement);
  let isOpen = false;

  /**
   * @param {Card[]} queued in the order of the queue
   * @param {number} most queued cards that are not folded
   */
  function show(queued, most) {
    const many = queued.length > most;
    element.hidden = !many;
    setAttribute(section, "data-queue", many && !isOpen ? "folded" : null);
    const [first] = queued;
    if (first && element.nextElementSibling !== first.element) first.element.before(element);
    if (!many) return;
    parts.setTexts({
      count: ngettext("%(n)s task in the queue", "%(n)s tasks in the queue", queued.length),
      next: first.task.prompt,
    });
  }

  /** @param {boolean} open */
  function toggle(open) {
    isOpen = open;
    setAttribute(button, "aria-expanded", String(open));
    setAttribute(section, "data-queue", open ? null : "folded");
    parts.setTexts({ words: open ? gettext("Collapse") : gettext("Expand") });
  }

  button.addEventListener("click", () => toggle(!isOpen));
  return { show, open: () => toggle(true) };
}

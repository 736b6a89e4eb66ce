// @ts-check
/** A row of steps for each earlier attempt of a task; loaded when a task was interrupted. */

import { clone, setAttribute } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";

/** @import {Interruption} from "../connection/protocol.js" */

/** @param {number} attempt */
export const pastLabel = (attempt) => gettext("Attempt %(n)s was interrupted", { n: attempt });

/**
 * @param {HTMLElement} past
 * @param {Interruption[]} interruptions
 * @param {(item: HTMLElement) => void} weigh gives it the width of its step
 */
export function paintPast(past, interruptions, weigh) {
  while (past.children.length > interruptions.length) past.lastElementChild?.remove();
  interruptions.forEach(({ step, attempt }, i) => {
    const row = past.children[i] ?? past.appendChild(clone("past-template"));
    setAttribute(row, "data-step", step);
    setAttribute(row, "aria-label", pastLabel(attempt));
    for (const cell of /** @type {Iterable<HTMLElement>} */ (row.children)) {
      weigh(cell);
      setAttribute(cell, "data-current", cell.dataset.step === step);
    }
  });
}

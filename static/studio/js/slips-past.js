// @ts-check
/** A bare row of slips for each attempt before the one a card is in; loaded when a task was interrupted. */

import { clone, setAttribute } from "./dom.js";
import { gettext } from "./i18n.js";
import { weigh } from "./slips.js";

/** @import {Interruption, Task} from "./protocol.js" */

/**
 * @param {HTMLElement} past
 * @param {Task} task
 * @param {Interruption[]} interruptions
 */
export function paintPast(past, task, interruptions) {
  while (past.children.length > interruptions.length) past.lastElementChild?.remove();
  interruptions.forEach(({ step, attempt }, i) => {
    const row = past.children[i] ?? past.appendChild(clone("past-template"));
    setAttribute(row, "data-step", step);
    setAttribute(row, "aria-label", gettext("Attempt %(n)s was interrupted", { n: attempt }));
    for (const cell of /** @type {Iterable<HTMLElement>} */ (row.children)) {
      weigh(cell, task);
      setAttribute(cell, "data-current", cell.dataset.step === step);
    }
  });
}

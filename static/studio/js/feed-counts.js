// @ts-check
/** How many tasks each filter of the feed would show, with or without a card on the page. */

import { Face, setAttribute } from "./dom.js";
import { isTerminal } from "./protocol.js";

/** @import {Counts, Status} from "./protocol.js" */

/** Which filter shows such tasks. @param {Status} status @returns {keyof Counts} */
const groupOf = (status) => (!isTerminal(status) ? "active" : status === "completed" ? status : "stopped");

/**
 * @param {Counts} others tasks without a card
 * @param {Status[]} shown of the tasks with one
 * @returns {Counts & {all: number}}
 */
export function countsOf(others, shown) {
  const counts = { ...others };
  for (const status of shown) counts[groupOf(status)] += 1;
  return { ...counts, all: counts.active + counts.completed + counts.stopped };
}

export class FeedCounts {
  /** Tasks of the person without a card here. @type {Counts} */
  others;
  #filters = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#filters [data-filter]")]).map(
    (button) => ({ button, face: new Face(button) }),
  );

  /** @param {Counts} others */
  constructor(others) {
    this.others = others;
  }

  /** A task gets a card (-1), or loses it and stays (1). @param {Status} status @param {1 | -1} by */
  move(status, by) {
    const group = groupOf(status);
    this.others = { ...this.others, [group]: Math.max(0, this.others[group] + by) };
  }

  /** The server knows no further ones. @param {string} filter */
  complete(filter) {
    const none = { completed: 0, stopped: 0 };
    const told = filter === "all" ? none : { [filter]: 0 };
    this.others = { ...this.others, ...told };
  }

  /** Whether older tasks can be fetched. @param {string} filter */
  hasFurther(filter) {
    const { completed, stopped } = this.others;
    return { all: completed + stopped, completed, stopped, active: 0 }[filter] !== 0;
  }

  /** @param {Status[]} shown @returns {Record<string, number>} */
  show(shown) {
    /** @type {Record<string, number>} */
    const counts = countsOf(this.others, shown);
    for (const { button, face } of this.#filters) face.tell({ count: String(counts[button.dataset.filter ?? ""]) });
    return counts;
  }

  /** @param {string} filter */
  press(filter) {
    for (const { button } of this.#filters) setAttribute(button, "aria-pressed", String(button.dataset.filter === filter));
  }
}

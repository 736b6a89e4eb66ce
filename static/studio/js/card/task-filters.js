// @ts-check
/** The filters of the task list: their counts, with tasks that have no card here, and the filter in the URL. */

import { Face, setAttribute } from "../lib/dom.js";
import { isTerminal } from "../connection/protocol.js";

/** @import {Counts, Status} from "../connection/protocol.js" */

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

/** @param {Counts} others */
export function createFilterCounts(others) {
  const buttons = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#filters [data-filter]")]).map(
    (button) => ({ button, face: new Face(button) }),
  );

  /** Count a task that gets a card (-1), or that loses it but still exists (1). @param {Status} status @param {1 | -1} by */
  function move(status, by) {
    const group = groupOf(status);
    others = { ...others, [group]: Math.max(0, others[group] + by) };
  }

  /** Note that the server has no further tasks for the filter. @param {string} filter */
  function complete(filter) {
    const none = { completed: 0, stopped: 0 };
    const emptied = filter === "all" ? none : { [filter]: 0 };
    others = { ...others, ...emptied };
  }

  /** Whether older tasks can be fetched. @param {string} filter */
  function hasFurther(filter) {
    const { completed, stopped } = others;
    return { all: completed + stopped, completed, stopped, active: 0 }[filter] !== 0;
  }

  /** @param {Status[]} shown @returns {Record<string, number>} */
  function show(shown) {
    /** @type {Record<string, number>} */
    const counts = countsOf(others, shown);
    for (const { button, face } of buttons) face.tell({ count: String(counts[button.dataset.filter ?? ""]) });
    return counts;
  }

  /** @param {string} filter */
  function press(filter) {
    for (const { button } of buttons) setAttribute(button, "aria-pressed", String(button.dataset.filter === filter));
  }

  return {
    move, complete, hasFurther, show, press,
    /** @param {Counts} counts of tasks without a card here */
    setOthers: (counts) => void (others = counts),
  };
}

const FILTERS = ["active", "completed", "stopped"];

/** The filter in the address, which Back, Forward and Reload keep: "all", or one of the three. */
export function filterInAddress() {
  const chosen = new URLSearchParams(location.search).get("show") ?? "";
  return FILTERS.includes(chosen) ? chosen : "all";
}

/** @param {string} filter */
export const stepInHistory = (filter) => history.pushState(null, "", filter === "all" ? location.pathname : `?show=${filter}`);

/** Let the language form return to the current URL. */
export function tellLanguages() {
  for (const next of document.querySelectorAll(".language [name='next']")) setAttribute(next, "value", location.pathname + location.search);
}

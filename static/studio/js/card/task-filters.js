// @ts-check
/** The filters of the task list: their counts, the chosen one, and what an empty list shows. */

import { Parts, byId, closest, lazy, on, setAttribute } from "../lib/dom.js";
import { isTerminal } from "../connection/protocol.js";

/** @import {Counts, Status} from "../connection/protocol.js" */
/** @import {Older} from "./older-tasks.js" */

/** The filter that shows tasks of a status. @param {Status} status @returns {keyof Counts} */
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

const FILTERS = ["active", "completed", "stopped"];

/** The filter in the URL, which Back, Forward and Reload keep: "all", or one of the three. */
function filterInUrl() {
  const name = new URLSearchParams(location.search).get("show") ?? "";
  return FILTERS.includes(name) ? name : "all";
}

/**
 * @param {HTMLElement | null} section that the filters apply to; the page of one task has none
 * @param {object} parts
 * @param {Counts} parts.others tasks without a card
 * @param {() => Status[]} parts.statuses of the tasks with one
 * @param {(link: HTMLElement) => Promise<Older>} parts.loadOlder
 */
export function createFilters(section, { others, statuses, loadOlder }) {
  const buttons = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("#filters [data-filter]")]).map(
    (button) => ({ button, parts: new Parts(button) }),
  );
  /** Leads to older tasks. */
  const further = byId("further");
  let older = /** @type {Older | null} */ (null);
  const fetchOlder = lazy(async (/** @type {HTMLElement} */ link) => {
    older = await loadOlder(link);
  });

  const chosen = () => section?.dataset.filter ?? "all";

  /** Count a task that gets a card (-1), or that loses it but still exists (1). @param {Status} status @param {1 | -1} by */
  function move(status, by) {
    const group = groupOf(status);
    others = { ...others, [group]: Math.max(0, others[group] + by) };
  }

  /** Note that the server has no further tasks for the filter. @param {string} filter */
  function complete(filter) {
    const none = { completed: 0, stopped: 0 };
    setOthers({ ...others, ...(filter === "all" ? none : { [filter]: 0 }) });
  }

  /** @param {Counts} counts of tasks without a card */
  function setOthers(counts) {
    others = counts;
    count();
  }

  /** Whether older tasks can be fetched for the chosen filter. */
  function hasFurther() {
    const { completed, stopped } = others;
    return { all: completed + stopped, completed, stopped, active: 0 }[chosen()] !== 0;
  }

  function count() {
    /** @type {Record<string, number>} */
    const counts = countsOf(others, statuses());
    for (const { button, parts } of buttons) parts.setTexts({ count: String(counts[button.dataset.filter ?? ""]) });
    if (further) {
      further.hidden = !hasFurther();
      if (!further.hidden) fetchOlder(further).catch(() => {}); // until then the link leads to the gallery
    }
    if (!section) return;
    showEmpty(section, counts.all === 0);
    byId("none")?.toggleAttribute("hidden", counts.all === 0 || counts[chosen()] > 0);
  }

  /** Show or hide the empty state, which is fetched when first needed. @param {HTMLElement} list @param {boolean} isEmpty */
  function showEmpty(list, isEmpty) {
    if (!isEmpty || byId("empty")) list.toggleAttribute("data-empty", isEmpty);
    else import("./first-run.js").then(({ fetchFirstRun }) => fetchFirstRun(list)).then(count, () => {}); // without it the list is only empty
  }

  /** @param {string} filter */
  function choose(filter) {
    history.pushState(null, "", filter === "all" ? location.pathname : `?show=${filter}`);
    apply(filter);
  }

  /** @param {string} filter */
  function apply(filter) {
    // the language form returns to the current URL
    for (const next of document.querySelectorAll(".language [name='next']")) setAttribute(next, "value", location.pathname + location.search);
    section?.setAttribute("data-filter", filter);
    older?.filter(filter);
    for (const { button } of buttons) setAttribute(button, "aria-pressed", String(button.dataset.filter === filter));
    count();
  }

  if (section) {
    on(section, "click", (event) => {
      const filter = closest(event, "button")?.dataset.filter;
      if (filter && filter !== filterInUrl()) choose(filter);
    });
    on(window, "popstate", () => apply(filterInUrl()));
  }

  return {
    get chosen() {
      return chosen();
    },
    count, choose, move, complete, setOthers, hasFurther,
  };
}

// @ts-check
/** Older tasks of the task list; loaded when the link at its end is shown. */

import { siteUrl } from "../lib/dom.js";
import { getJson } from "../connection/http.js";
import { fetchUnchanged } from "./actions.js";
import { label } from "../lib/i18n.js";
import { isTerminal } from "../connection/protocol.js";
import { toast } from "../ui/messages.js";

/** @import {TaskList} from "./task-list.js" */
/** @import {TaskStore} from "../state/task-store.js" */
/** @import {Task, TaskState} from "../connection/protocol.js" */

/** @typedef {{task: Task, state: TaskState}} TaskWithState */
/** @typedef {ReturnType<typeof createOlder>} Older */

/** Distance from the viewport at which they are fetched. */
const AHEAD = "600px";

/**
 * @param {HTMLElement} link
 * @param {{taskList: TaskList, taskStore: TaskStore}} parts
 */
export function createOlder(link, { taskList, taskStore }) {
  const finished = taskList.cards().filter(({ state }) => isTerminal(state.status));
  /** Task id of the oldest finished card in the page's HTML; empty if it has none. */
  const first = finished.sort((a, b) => a.task.created - b.task.created)[0]?.taskId ?? "";
  /** Task id after which the list of the filter continues. */
  let last = first;
  let filtered = "all";
  /** Cards that were not in the page's HTML. @type {Set<string>} */
  const added = new Set();
  let isLoading = false;
  const sight = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && more(), { rootMargin: AHEAD });

  /** Change the filter; added cards are removed, because another list would have gaps between them. @param {string} chosen */
  function filter(chosen) {
    if (chosen === filtered) return;
    filtered = chosen;
    last = first;
    for (const taskId of added) removeOlder(taskId);
    added.clear();
  }

  /** Remove the card of a task that still exists. @param {string} taskId */
  function removeOlder(taskId) {
    const card = taskList.card(taskId);
    if (!card) return;
    taskList.filters.move(card.state.status, 1);
    taskList.remove(taskId);
    taskStore.forget(taskId);
  }

  /** @returns {Promise<boolean>} whether there may be more; rejects if the request fails */
  async function fetchMore() {
    const requested = filtered;
    const query = new URLSearchParams({ show: requested, before: last });
    /** @type {{tasks: TaskWithState[], more: boolean}} */
    const response = await fetchUnchanged(() => getJson(siteUrl(`/cards/?${query}`)));
    if (requested !== filtered) return true;
    for (const older of response.tasks) {
      last = older.state.task_id;
      if (addOlder(taskList, taskStore, older)) added.add(last);
    }
    return response.more;
  }

  /** @param {() => void} [failed] called if the request fails; the link stays, and a press tries again */
  async function more(failed) {
    if (isLoading) return;
    isLoading = true;
    sight.unobserve(link); // observing it again reports a link that is still in view
    try {
      const shown = taskList.filters.chosen;
      filter(shown);
      if (!(await fetchMore())) taskList.filters.complete(shown);
      sight.observe(link);
    } catch {
      failed?.();
    }
    isLoading = false;
  }

  sight.observe(link);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    more(() => toast(label("error", "unavailable"), "fail"));
  });
  return { filter };
}

/**
 * Add a card for a finished task, unless it has one.
 *
 * @param {TaskList} taskList
 * @param {TaskStore} taskStore
 * @param {TaskWithState} older
 * @returns {boolean} whether a card was added
 */
export function addOlder(taskList, taskStore, { task, state }) {
  if (taskList.card(state.task_id)) return false;
  taskStore.addTask(state.task_id, task);
  taskStore.setState(state);
  taskList.filters.move(state.status, -1);
  taskList.add(state.task_id, { own: true, isOlder: true });
  return true;
}

// @ts-check
/** The task list behind the cards of its page: older tasks come when the link at its end is nearly in sight, or pressed. */

import { at } from "../lib/dom.js";
import { getJson } from "../connection/http.js";
import { errorSentence } from "../lib/i18n.js";
import { isTerminal } from "../connection/protocol.js";
import { toast } from "../ui/toasts.js";

/** @import {TaskList} from "./task-list.js" */
/** @import {TaskStore} from "../state/task-store.js" */
/** @import {Task, TaskState} from "../connection/protocol.js" */

/** @typedef {{task: Task, state: TaskState}} Told */
/** @typedef {ReturnType<typeof createOlder>} Older */

/** They are fetched so far before they are seen. */
const AHEAD = "600px";

/**
 * @param {HTMLElement} link
 * @param {{taskList: TaskList, taskStore: TaskStore}} parts
 */
export function createOlder(link, { taskList, taskStore }) {
  const over = taskList.cards().filter(({ state }) => isTerminal(state.status));
  /** The oldest finished card of the page itself; empty: it has none. */
  const first = over.sort((a, b) => a.task.created - b.task.created)[0]?.taskId ?? "";
  /** Where the list of the filter goes on. */
  let last = first;
  let filtered = "all";
  /** Cards that came later than the page. @type {Set<string>} */
  const added = new Set();
  let isLoading = false;
  const sight = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && more(), { rootMargin: AHEAD });

  /** Another list would have gaps where this one was longer. @param {string} chosen */
  function filter(chosen) {
    if (chosen === filtered) return;
    filtered = chosen;
    last = first;
    for (const taskId of added) taskList.putAway(taskId);
    added.clear();
  }

  /** @returns {Promise<boolean>} whether there may be more; rejects if the next ones did not come */
  async function fetchMore() {
    const asked = filtered;
    const query = new URLSearchParams({ show: asked, before: last });
    /** @type {{tasks: Told[], more: boolean}} */
    const answer = await getJson(at(`/feed/?${query}`));
    if (asked !== filtered) return true;
    for (const told of answer.tasks) {
      last = told.state.task_id;
      if (bring(taskList, taskStore, told)) added.add(last);
    }
    return answer.more;
  }

  /** @param {() => void} [failed] what to say if they did not come; the link stays, and a press asks again */
  async function more(failed) {
    if (isLoading) return;
    isLoading = true;
    sight.unobserve(link); // what is still in sight afterwards is told anew
    try {
      const shown = taskList.filter;
      filter(shown);
      if (!(await fetchMore())) taskList.isComplete(shown);
      sight.observe(link);
    } catch {
      failed?.();
    }
    isLoading = false;
  }

  sight.observe(link);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    more(() => toast(errorSentence("unavailable"), "fail"));
  });
  return { filter };
}

/**
 * A card for a task that is over, and has none here.
 *
 * @param {TaskList} taskList
 * @param {TaskStore} taskStore
 * @param {Told} told
 * @returns {boolean} whether it had none
 */
export function bring(taskList, taskStore, { task, state }) {
  if (taskList.card(state.task_id)) return false;
  taskStore.learn(state.task_id, task);
  taskStore.adopt(state);
  taskList.fetched(state.task_id);
  return true;
}

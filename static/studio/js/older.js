// @ts-check
/** The feed behind the cards of its page: older tasks, fetched as far as somebody looks. */

import { at } from "./base.js";
import { getJson } from "./http.js";
import { isTerminal } from "./protocol.js";

/** @import {Feed} from "./feed.js" */
/** @import {Ledger} from "./ledger.js" */
/** @import {Task, TaskState} from "./protocol.js" */

/** @typedef {{task: Task, state: TaskState}} Told */

export class Older {
  #feed;
  #ledger;
  /** The oldest finished card of the page itself; empty: it has none. */
  #first;
  /** Where the list of the filter goes on. */
  #last;
  #filter = "all";
  /** Cards that came later than the page. @type {Set<string>} */
  #added = new Set();

  /** @param {{feed: Feed, ledger: Ledger}} parts */
  constructor({ feed, ledger }) {
    this.#feed = feed;
    this.#ledger = ledger;
    const over = feed.cards().filter(({ state }) => isTerminal(state.status));
    this.#first = this.#last = over.sort((a, b) => a.task.created - b.task.created)[0]?.taskId ?? "";
  }

  /** Another list would have gaps where this one was longer. @param {string} filter */
  filter(filter) {
    if (filter === this.#filter) return;
    this.#filter = filter;
    this.#last = this.#first;
    for (const taskId of this.#added) this.#feed.putAway(taskId);
    this.#added.clear();
  }

  /** @returns {Promise<boolean>} whether there may be more; rejects if the next ones did not come */
  async more() {
    const filter = this.#filter;
    const query = new URLSearchParams({ show: filter, before: this.#last });
    /** @type {{tasks: Told[], more: boolean}} */
    const { tasks, more } = await getJson(at(`/feed/?${query}`));
    if (filter !== this.#filter) return true;
    for (const told of tasks) {
      this.#last = told.state.task_id;
      if (bring(this.#feed, this.#ledger, told)) this.#added.add(this.#last);
    }
    return more;
  }
}

/**
 * A card for a task that is over, and has none here.
 *
 * @param {Feed} feed
 * @param {Ledger} ledger
 * @param {Told} told
 * @returns {boolean} whether it had none
 */
export function bring(feed, ledger, { task, state }) {
  if (feed.card(state.task_id)) return false;
  ledger.learn(state.task_id, task);
  ledger.adopt(state);
  feed.fetched(state.task_id);
  return true;
}

// @ts-check
/** Shows pictures that other windows marked, deleted or restored; loaded with the first such change. */

import { siteUrl } from "../lib/dom.js";
import { dispatchRemote, fetchUnchanged } from "../card/actions.js";
import { getJson, send } from "../connection/http.js";
import { addOlder } from "../card/older-tasks.js";
import { isTerminal, pictureKey, taskOf } from "../connection/protocol.js";

/** @import {TaskList} from "../card/task-list.js" */
/** @import {TaskStore} from "./task-store.js" */
/** @import {TaskWithState} from "../card/older-tasks.js" */
/** @import {CollectionChange, CollectionFrame, Counts, Task} from "../connection/protocol.js" */

/** @typedef {{revision: number, kept: Record<string, Record<string, boolean>>, withheld: Record<string, number[]>, others: Counts, recent: string[]}} Kept what POST /collection/ answers */

/** Tasks in one request; further cards stay as they are. */
const MOST_REQUESTED = 1_500;
const REREAD_WITHIN_MS = 3_000;

export class Collection {
  #taskStore;
  #taskList;
  /** False: the page of one task, which keeps showing it. */
  #isStudio;
  /** The newest revision that this page shows. */
  #revision;
  #mostNamed;
  #isReading = false;
  #isOld = false;

  /** @param {{taskStore: TaskStore, taskList: TaskList, isStudio: boolean, revision: number, mostNamed: number}} parts `mostNamed`: tasks in one URL */
  constructor({ taskStore, taskList, isStudio, revision, mostNamed }) {
    this.#revision = revision;
    this.#taskStore = taskStore;
    this.#taskList = taskList;
    this.#isStudio = isStudio;
    this.#mostNamed = mostNamed;
  }

  /** @param {CollectionFrame} frame */
  async changed(frame) {
    const isNext = frame.revision === this.#revision + 1 && frame.change;
    if (frame.revision <= this.#revision) return;
    this.#revision = frame.revision;
    if (isNext) await this.#apply(/** @type {CollectionChange} */ (frame));
    else await this.reread();
  }

  /** After a lost connection, with a random delay: the server may have just restarted. */
  rereadSoon() {
    setTimeout(() => this.reread(), Math.random() * REREAD_WITHIN_MS);
  }

  /** @param {CollectionChange} change */
  async #apply(change) {
    const tasks = [...new Set([...change.pictures.map(taskOf), ...change.tasks])];
    const isKnown = tasks.every((taskId) => this.#taskStore.task(taskId));
    dispatchRemote(change);
    const isReviewed = change.change === "reviewed";
    // the next change fetches them too
    if (isReviewed || change.change === "restored") await this.#fetch(tasks.filter((taskId) => !isReviewed || this.#taskList.card(taskId))).catch(() => {});
    if (!isReviewed && change.change !== "favourite" && !isKnown) await this.reread(); // tasks without a card are counted too
  }

  /** Fetch which of the shown pictures still exist, and the number of other tasks. */
  async reread() {
    this.#isOld = true;
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#isOld) {
        this.#isOld = false;
        await this.#read();
      }
    } catch {
      // the next change, or the next connection, asks again
    }
    this.#isReading = false;
  }

  async #read() {
    const cards = this.#taskList.cards();
    const requested = cards.slice(0, MOST_REQUESTED);
    /** @type {Kept} */
    const { kept, withheld, others, recent } = await fetchUnchanged(() =>
      send(siteUrl("/collection/"), { tasks: requested.map(({ taskId }) => taskId) }));
    if (this.#isStudio) {
      // a card added meanwhile may be counted among the others: fetch again
      this.#isOld ||= this.#taskList.cards().length !== cards.length;
      this.#taskList.filters.setOthers(others);
      for (const { taskId } of cards.slice(MOST_REQUESTED)) this.#taskList.filters.move(this.#taskStore.state(taskId).status, -1);
    }
    const further = recent.filter((taskId) => !this.#taskList.card(taskId));
    for (const { taskId, state } of requested) {
      const pictures = kept[taskId];
      if (pictures) this.#compare(taskId, pictures);
      else if (this.#isStudio) dispatchRemote({ change: "deleted", pictures: [], tasks: [taskId] });
      const hasMore = Object.keys(pictures ?? {}).length > state.images.length;
      const known = state.images.flatMap((picture) => (picture.withheld ? picture.index : []));
      const isOther = pictures && String(known) !== String(withheld[taskId] ?? []);
      if (isOther || (hasMore && isTerminal(state.status))) further.push(taskId);
    }
    await this.#fetch(this.#isStudio ? further : further.filter((taskId) => this.#taskList.card(taskId)));
  }

  /**
   * @param {string} taskId
   * @param {Record<string, boolean>} pictures index → is it a favourite
   */
  #compare(taskId, pictures) {
    for (const picture of this.#taskStore.state(taskId).images) {
      const key = pictureKey(taskId, picture);
      const favourite = pictures[picture.index];
      if (favourite === undefined) dispatchRemote({ change: "deleted", pictures: [key], tasks: [] });
      else if (favourite !== !!picture.favourite) dispatchRemote({ change: "favourite", pictures: [key], tasks: [], favourite });
    }
  }

  /** Among the recent pictures, remove those withheld now, and add those that are not any more. @param {string} taskId @param {TaskWithState} found */
  #showRecent(taskId, { task, state }) {
    for (const picture of state.images) {
      if (picture.withheld) for (const frame of this.#taskList.recentFrames(pictureKey(taskId, picture))) frame.remove();
      else this.#taskList.showRecent("prepend", taskId, picture, task.prompt);
    }
  }

  /** Whether the list goes as far back as this task. @param {Task} task */
  #reaches({ created }) {
    const finished = this.#taskList.cards().filter(({ state }) => isTerminal(state.status));
    return !this.#taskList.filters.hasFurther() || finished.some(({ task }) => task.created <= created);
  }

  /** Fetch tasks and show their current state. @param {string[]} taskIds */
  async #fetch(taskIds) {
    if (taskIds.length === 0) return;
    const query = taskIds.slice(0, this.#mostNamed).map((taskId) => `task=${taskId}`).join("&");
    /** @type {{tasks: TaskWithState[]}} */
    const { tasks } = await fetchUnchanged(() => getJson(siteUrl(`/cards/?${query}`)));
    for (const found of tasks) {
      const taskId = found.state.task_id;
      if (this.#taskList.card(taskId)) {
        this.#taskStore.setState(found.state);
        this.#taskList.repaint(taskId);
        this.#showRecent(taskId, found);
      } else if (this.#reaches(found.task)) {
        addOlder(this.#taskList, this.#taskStore, found);
      }
    }
  }
}

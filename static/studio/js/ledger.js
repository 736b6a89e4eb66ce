// @ts-check
/** Every task this page knows: what never changes, and the fold of its log. No DOM, no network. */

import { isTerminal } from "./protocol.js";
import { applyEvent, emptyState } from "./reducer.js";

/** @import {EventFrame, QueuePlace, Task, TaskState} from "./protocol.js" */

export class Ledger {
  /** @type {Map<string, Task>} */
  #tasks = new Map();
  /** @type {Map<string, TaskState>} */
  #states = new Map();
  /** @type {Map<string, QueuePlace>} */
  #places = new Map();
  /** @type {((taskId: string) => boolean)} */
  #wants;

  /** @param {(taskId: string) => boolean} wants whether this page shows a task that is new to it */
  constructor(wants = () => true) {
    this.#wants = wants;
  }

  /** @param {string} taskId */
  wants(taskId) {
    return this.#states.has(taskId) || this.#wants(taskId);
  }

  /** @param {string} taskId */
  task(taskId) {
    return this.#tasks.get(taskId) ?? null;
  }

  /** Ids of the tasks that were learned, in that order. */
  known() {
    return [...this.#tasks.keys()];
  }

  /** @param {string} taskId */
  state(taskId) {
    return this.#states.get(taskId) ?? emptyState(taskId);
  }

  /** @param {string} taskId */
  place(taskId) {
    return this.#places.get(taskId) ?? null;
  }

  /** @param {string} taskId */
  cursor(taskId) {
    return this.#states.get(taskId)?.seq ?? 0;
  }

  /** @param {string} taskId */
  isFinished(taskId) {
    const state = this.#states.get(taskId);
    return state !== undefined && isTerminal(state.status);
  }

  /** Ids of the tasks whose log still grows, the ones only heard of included. */
  unfinished() {
    return [...this.#states].filter(([, state]) => !isTerminal(state.status)).map(([id]) => id);
  }

  /**
   * @param {string} taskId
   * @param {Task} task
   */
  learn(taskId, task) {
    this.#tasks.set(taskId, task);
    if (!this.#states.has(taskId)) this.#states.set(taskId, emptyState(taskId));
  }

  /** @param {string} taskId Note that the task exists, before its first event arrives. */
  expect(taskId) {
    if (!this.#states.has(taskId)) this.#states.set(taskId, emptyState(taskId));
  }

  /** @param {string} taskId Forget a task that turned out not to be ours. */
  forget(taskId) {
    this.#tasks.delete(taskId);
    this.#states.delete(taskId);
    this.#places.delete(taskId);
  }

  /** @param {TaskState} state a state folded elsewhere; an older one than ours changes nothing */
  adopt(state) {
    if (state.seq >= this.cursor(state.task_id)) this.#states.set(state.task_id, state);
  }

  /**
   * @param {EventFrame} frame
   * @returns {"applied" | "known" | "gap"}
   */
  apply(frame) {
    const { state, gap, applied } = applyEvent(this.state(frame.task_id), frame);
    this.#states.set(frame.task_id, state);
    if (state.status !== "queued") this.#places.delete(frame.task_id);
    return gap ? "gap" : applied ? "applied" : "known";
  }

  /**
   * @param {Record<string, QueuePlace>} places
   * @returns {string[]} the tasks of this page whose place was told
   */
  arrange(places) {
    const told = [];
    for (const [taskId, place] of Object.entries(places)) {
      // place 0 is a running task whose worker went silent; any other place means waiting
      const waits = this.state(taskId).status === (place.position === 0 ? "running" : "queued");
      if (!waits) continue;
      this.#places.set(taskId, place);
      if (this.#tasks.has(taskId)) told.push(taskId);
    }
    return told;
  }
}

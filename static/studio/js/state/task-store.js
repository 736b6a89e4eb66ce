// @ts-check
/** The tasks of the page: their constant values, and their states as folds of their logs. No DOM, no network. */

import { siteUrl } from "../lib/dom.js";
import { isTerminal } from "../connection/protocol.js";
import { applyEvent, emptyState } from "./reducer.js";

/** @import {Embedded, EventFrame, QueueEntry, Task, TaskState} from "../connection/protocol.js" */

/**
 * A task of the page's JSON with the values that it leaves out, except the prompt; its twin is generation/views/embedded_tasks.py.
 *
 * @param {Embedded} embedded
 * @returns {{task: Task, state: TaskState}}
 */
export function readTask({ id, task, state }) {
  const images = (state.images ?? []).map((picture) => {
    const url = siteUrl(`/pictures/${id}/${picture.index}/`);
    return { ...picture, url, thumbnail_url: `${url}thumbnail/` };
  });
  return {
    task: { negative_prompt: "", seed: null, parent: null, request_key: null, ...task },
    state: { ...emptyState(id), ...state, images },
  };
}

/** @param {(taskId: string) => boolean} acceptsNew whether the page shows new tasks */
export function createTaskStore(acceptsNew = () => true) {
  /** @type {Map<string, Task>} */
  const tasks = new Map();
  /** @type {Map<string, TaskState>} */
  const states = new Map();
  /** @type {Map<string, QueueEntry>} */
  const queue = new Map();
    /** @param {string} taskId */
  function accepts(taskId) {
    return states.has(taskId) || acceptsNew(taskId);
  }

  /** @param {string} taskId */
  function task(taskId) {
    return tasks.get(taskId) ?? null;
  }

  /** Ids of the tasks in the order in which they were added. */
  function taskIds() {
    return [...tasks.keys()];
  }

  /** @param {string} taskId */
  function state(taskId) {
    return states.get(taskId) ?? emptyState(taskId);
  }

  /** @param {string} taskId */
  function queueEntry(taskId) {
    return queue.get(taskId) ?? null;
  }

  /** @param {string} taskId */
  function cursor(taskId) {
    return states.get(taskId)?.seq ?? 0;
  }

  /** @param {string} taskId */
  function isFinished(taskId) {
    const known = states.get(taskId);
    return known !== undefined && isTerminal(known.status);
  }

  /** Ids of unfinished tasks, including those without values yet. */
  function unfinished() {
    return [...states].filter(([, each]) => !isTerminal(each.status)).map(([id]) => id);
  }

  /**
   * @param {string} taskId
   * @param {Task} learned
   */
  function addTask(taskId, learned) {
    tasks.set(taskId, learned);
    register(taskId);
  }

  /** @param {string} taskId Add an empty state before the first event arrives. */
  function register(taskId) {
    if (!states.has(taskId)) states.set(taskId, emptyState(taskId));
  }

  /** @param {string} taskId Discard what was read of its log. */
  function restart(taskId) {
    states.set(taskId, emptyState(taskId));
  }

  /** @param {string} taskId Remove a task that the user may not see. */
  function forget(taskId) {
    tasks.delete(taskId);
    states.delete(taskId);
    queue.delete(taskId);
  }

  /** @param {TaskState} state a state folded elsewhere; an older one is ignored */
  function setState(state) {
    if (state.seq >= cursor(state.task_id)) states.set(state.task_id, state);
  }

  /**
   * @param {EventFrame} frame
   * @returns {"applied" | "known" | "gap"}
   */
  function apply(frame) {
    const { state: after, gap, applied } = applyEvent(state(frame.task_id), frame);
    states.set(frame.task_id, after);
    if (after.status !== "queued") queue.delete(frame.task_id);
    return gap ? "gap" : applied ? "applied" : "known";
  }

  /**
   * @param {Record<string, QueueEntry>} news
   * @returns {string[]} tasks of the page whose entry was updated
   */
  function updateQueue(news) {
    const updated = [];
    for (const [taskId, each] of Object.entries(news)) {
      // position 0 is a running task whose worker went silent; any other position means queued
      const waits = state(taskId).status === (each.position === 0 ? "running" : "queued");
      if (!waits) continue;
      queue.set(taskId, each);
      if (tasks.has(taskId)) updated.push(taskId);
    }
    return updated;
  }

  return { accepts, task, taskIds, state, queueEntry, cursor, isFinished, unfinished, addTask, register, restart, forget, setState, apply, updateQueue };
}

/** @typedef {ReturnType<typeof createTaskStore>} TaskStore */

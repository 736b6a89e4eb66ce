// @ts-check
/** What is said on one connection after the other: attach, replay, gaps, and what waits for its answer. */

import { isTerminal, newRequestKey } from "./protocol.js";

/** @import {ClientMessage, EventFrame, Refusal, Task} from "./protocol.js" */
/** @import {TaskStore} from "../state/task-store.js" */
/** @import {KeyedMessage, PendingRequests} from "../state/pending-requests.js" */
/** @import {Connection} from "./socket.js" */

/**
 * @typedef {object} Listener callbacks of the page
 * @property {(connection: Connection) => void} connectionChanged
 * @property {(taskId: string, task: Task) => void} taskLearned
 * @property {(taskId: string, frame: EventFrame, live: boolean) => void} taskChanged
 * @property {(taskId: string) => void} taskForgotten
 * @property {(taskIds: string[]) => void} queueChanged
 * @property {(models: import("./protocol.js").Model[]) => void} [modelsTold]
 * @property {(frame: import("./protocol.js").CollectionFrame) => void} [collectionChanged]
 * @property {() => void} [cameBack] reconnected: changes made elsewhere meanwhile are not sent and must be fetched
 * @property {(message: KeyedMessage, answer: {taskId: string, duplicate: boolean}) => void} accepted
 * @property {(message: KeyedMessage | null, refusal: Refusal) => void} refused
 * @property {(taskId: string, answer: string) => void} cancelAnswered
 * @property {(events: number) => void} caughtUp
 * @property {(serverTime: number) => void} serverTimeTold
 */

/**
 * @param {object} parts
 * @param {TaskStore} parts.taskStore
 * @param {PendingRequests} parts.requests
 * @param {Listener} parts.listener
 * @param {(message: ClientMessage) => void} parts.send
 * @param {(message: KeyedMessage, failures: number) => void} parts.sendLater
 */
export function createSession({ taskStore, requests, listener, send, sendLater }) {
  /** Tasks whose replay is under way, by the key of the attach. @type {Map<string, string>} */
  const replaying = new Map();
  /** Tasks that are being caught up after a lost connection. @type {Set<string>} */
  const resuming = new Set();
  /** Tasks that are attached on this connection. @type {Set<string>} */
  const attached = new Set();
  /** Keys of the pending requests that went out on this connection. @type {string[]} */
  let sentKeys = [];
  let caughtUp = 0;
  let unavailable = 0;

  /** Nothing of an earlier connection holds on a new one. */
  function reset() {
    replaying.clear();
    resuming.clear();
    attached.clear();
    sentKeys = [];
  }

  /**
   * @param {{task_id: string}[]} active the person's unfinished tasks, as `hello` names them
   * @param {boolean} again whether something may have been missed meanwhile
   */
  function greet(active, again) {
    caughtUp = 0;
    for (const { task_id: taskId } of active) {
      if (taskStore.wants(taskId)) taskStore.expect(taskId);
    }
    for (const taskId of taskStore.unfinished()) {
      if (again) resuming.add(taskId);
      attach(taskId);
    }
    if (again) listener.cameBack?.();
    for (const message of requests.all()) send(message);
  }

  /** @param {ClientMessage} message it is on its way */
  function sent({ request_key: key }) {
    if (key && requests.get(key)) sentKeys.push(key);
  }

  /** @param {any} frame A frame about tasks; what is unknown says nothing that we need. */
  function handle(frame) {
    switch (frame.type) {
      case "ack": return onAck(frame);
      case "task": return onTask(frame);
      case "live": return onLive(frame.task_id, frame.seq);
      case "queue": return listener.queueChanged(taskStore.arrange(frame.tasks));
      case "collection": return listener.collectionChanged?.(frame);
      case "models": return listener.modelsTold?.(frame.models);
      case "answer": return onAnswer(frame);
      case "error":
        return "seq" in frame ? onEvent(frame) : onRefused(frame);
      case "progress":
      case "result":
      case "cancelled": return onEvent(frame);
      default:
    }
  }

  /** @param {Record<string, number>} cursors newest seq of each task at the server */
  function compare(cursors) {
    for (const taskId of taskStore.unfinished()) {
      if (cursors[taskId] > taskStore.cursor(taskId)) attach(taskId);
    }
  }

  /** @param {string} taskId */
  function attach(taskId) {
    if (replaying.has(taskId)) return;
    const key = newRequestKey();
    replaying.set(taskId, key);
    send({
      action: "attach", task_id: taskId, after: taskStore.cursor(taskId), request_key: key,
    });
  }

  /** @param {{task_id: string, request_key?: string | null, duplicate?: boolean, task?: Task}} frame */
  function onAck(frame) {
    const { task_id: taskId, task } = frame;
    unavailable = 0;
    const message = requests.settle(frame.request_key);
    taskStore.expect(taskId);
    if (message) {
      listener.accepted(message, { taskId, duplicate: frame.duplicate === true });
    }
    if (task) {
      attached.add(taskId); // the ack attaches us
      onTask({ task_id: taskId, task });
    } else if (taskStore.task(taskId) === null) {
      attach(taskId); // only `task` says what the server filled in
    }
  }

  /** @param {{task_id: string, task: Task}} frame Never moves a cursor. */
  function onTask(frame) {
    const { task_id: taskId, task } = frame;
    if (!taskStore.wants(taskId)) return;
    const known = taskStore.task(taskId) !== null;
    taskStore.learn(taskId, task);
    if (!taskStore.isFinished(taskId) && !attached.has(taskId)) attach(taskId);
    if (!known) listener.taskLearned(taskId, task);
  }

  /** @param {EventFrame} frame */
  function onEvent(frame) {
    const taskId = frame.task_id;
    if (!taskStore.wants(taskId)) return;
    const outcome = taskStore.apply(frame);
    if (outcome === "gap") {
      attach(taskId);
      return;
    }
    if (outcome === "known") return;
    const replayed = replaying.has(taskId);
    if (resuming.has(taskId)) caughtUp += 1;
    if (isTerminal(frame.status)) requests.settleAbout("cancel", taskId);
    listener.taskChanged(taskId, frame, !replayed);
    if (isTerminal(frame.status) && !replayed) release(taskId);
  }

  /**
   * @param {string} taskId
   * @param {number} seq the newest event when the replay ended
   */
  function onLive(taskId, seq) {
    if (!replaying.delete(taskId)) return;
    if (seq > taskStore.cursor(taskId)) {
      attach(taskId);
      return;
    }
    attached.add(taskId);
    if (taskStore.isFinished(taskId)) release(taskId);
    if (resuming.delete(taskId) && resuming.size === 0) {
      listener.caughtUp(caughtUp);
      caughtUp = 0;
    }
  }

  /** A finished log does not grow: give the place back. @param {string} taskId */
  function release(taskId) {
    attached.delete(taskId);
    send({ action: "detach", task_id: taskId });
  }

  /** @param {{task_id: string, answer: string}} frame */
  function onAnswer(frame) {
    requests.settleAbout("cancel", frame.task_id);
    listener.cancelAnswered(frame.task_id, frame.answer);
  }

  /** @param {Refusal} frame */
  function onRefused(frame) {
    const waiting = requests.get(frame.request_key ?? "");
    if (frame.code === "unavailable" && waiting) {
      // Nothing was lost and nothing was stored: the same key goes out again by itself.
      unavailable += 1;
      sendLater(waiting, unavailable);
      listener.refused(null, frame);
      return;
    }
    const attaching = [...replaying].find(([, key]) => key === frame.request_key);
    if (attaching) {
      replaying.delete(attaching[0]);
      resuming.delete(attaching[0]);
      if (frame.code === "not_found") {
        taskStore.forget(attaching[0]);
        listener.taskForgotten(attaching[0]);
      }
      return;
    }
    // What could not even be parsed is refused without its key; answers come in the order of sending.
    const key = frame.request_key ?? sentKeys.find((sent) => requests.get(sent));
    listener.refused(requests.settle(key), frame);
  }

  return { reset, greet, sent, handle, compare };
}

/** @typedef {ReturnType<typeof createSession>} Session */

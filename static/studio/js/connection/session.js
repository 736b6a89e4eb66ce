// @ts-check
/** The messages of the page over its connections: attach, replay, gaps and pending requests. */

import { isTerminal, newRequestKey } from "./protocol.js";

/** @import {ClientMessage, EventFrame, Refusal, Task} from "./protocol.js" */
/** @import {TaskStore} from "../state/task-store.js" */
/** @import {KeyedMessage, PendingRequests} from "../state/pending-requests.js" */
/** @import {Connection} from "./reconnecting.js" */

/**
 * @typedef {object} Listener callbacks of the page
 * @property {(connection: Connection) => void} connectionChanged
 * @property {(taskId: string, task: Task) => void} taskAdded
 * @property {(taskId: string, frame: EventFrame, live: boolean) => void} taskChanged
 * @property {(taskId: string) => void} taskRemoved
 * @property {(taskIds: string[]) => void} queueChanged
 * @property {(models: import("./protocol.js").Model[]) => void} [modelsChanged]
 * @property {(limits: import("./protocol.js").Limits) => void} [limitsChanged]
 * @property {(frame: import("./protocol.js").CollectionFrame) => void} [collectionChanged]
 * @property {() => void} [reconnected] changes made in other windows meanwhile must be fetched
 * @property {(message: KeyedMessage, answer: {taskId: string, duplicate: boolean}) => void} accepted
 * @property {(message: KeyedMessage | null, refusal: Refusal) => void} refused
 * @property {(taskId: string, answer: string) => void} cancelAnswered
 * @property {(events: number) => void} caughtUp
 * @property {(serverTime: number) => void} serverTimeReceived
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

  /** Forget the state of the last connection. */
  function reset() {
    replaying.clear();
    resuming.clear();
    attached.clear();
    sentKeys = [];
  }

  /**
   * @param {{task_id: string}[]} active the user's unfinished tasks, from `hello`
   * @param {boolean} again whether events may have been missed
   */
  function resume(active, again) {
    caughtUp = 0;
    for (const { task_id: taskId } of active) {
      if (taskStore.accepts(taskId)) taskStore.register(taskId);
    }
    for (const taskId of taskStore.unfinished()) {
      if (again) resuming.add(taskId);
      attach(taskId);
    }
    if (again) listener.reconnected?.();
    for (const message of requests.all()) send(message);
  }

  /** Note that a message was sent. @param {ClientMessage} message */
  function recordSent({ request_key: key }) {
    if (key && requests.get(key)) sentKeys.push(key);
  }

  /** @param {any} frame about tasks; unknown types are ignored */
  function handle(frame) {
    switch (frame.type) {
      case "ack": return onAck(frame);
      case "task": return onTask(frame);
      case "live": return onLive(frame.task_id, frame.seq);
      case "queue": return listener.queueChanged(taskStore.updateQueue(frame.tasks));
      case "collection": return listener.collectionChanged?.(frame);
      case "limits": return listener.limitsChanged?.(frame.limits);
      case "models": return listener.modelsChanged?.(frame.models);
      case "answer": return onAnswer(frame);
      case "error":
        return "seq" in frame ? onEvent(frame) : onRefused(frame);
      case "progress":
      case "result":
      case "cancelled": return onEvent(frame);
      default:
    }
  }

  /** Attach to tasks whose cursor is behind. @param {Record<string, number>} cursors newest seq at the server */
  function catchUp(cursors) {
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
    taskStore.register(taskId);
    if (message) {
      listener.accepted(message, { taskId, duplicate: frame.duplicate === true });
    }
    if (task) {
      attached.add(taskId); // the ack attaches the connection
      onTask({ task_id: taskId, task });
    } else if (taskStore.task(taskId) === null) {
      attach(taskId); // only `task` has the values that the server filled in
    }
  }

  /** @param {{task_id: string, task: Task}} frame Never moves a cursor. */
  function onTask(frame) {
    const { task_id: taskId, task } = frame;
    if (!taskStore.accepts(taskId)) return;
    const known = taskStore.task(taskId) !== null;
    taskStore.addTask(taskId, task);
    if (task.log_pruned_at && taskStore.cursor(taskId) > 0 && !taskStore.isFinished(taskId)) {
      // the cursor is of the longer log
      taskStore.restart(taskId);
      replaying.delete(taskId);
      attach(taskId);
    }
    if (!taskStore.isFinished(taskId) && !attached.has(taskId)) attach(taskId);
    if (!known) listener.taskAdded(taskId, task);
  }

  /** @param {EventFrame} frame */
  function onEvent(frame) {
    const taskId = frame.task_id;
    if (!taskStore.accepts(taskId)) return;
    const outcome = taskStore.apply(frame);
    if (outcome === "gap") {
      attach(taskId);
      return;
    }
    if (outcome === "known") return;
    const replayed = replaying.has(taskId);
    if (resuming.has(taskId)) caughtUp += 1;
    if (isTerminal(frame.status)) requests.settleTask("cancel", taskId);
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

  /** Detach from a finished task: its log does not grow. @param {string} taskId */
  function release(taskId) {
    attached.delete(taskId);
    send({ action: "detach", task_id: taskId });
  }

  /** @param {{task_id: string, answer: string}} frame */
  function onAnswer(frame) {
    requests.settleTask("cancel", frame.task_id);
    listener.cancelAnswered(frame.task_id, frame.answer);
  }

  /** @param {Refusal} frame */
  function onRefused(frame) {
    const waiting = requests.get(frame.request_key ?? "");
    if (frame.code === "unavailable" && waiting) {
      // Nothing was stored: send it again with the same key.
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
        listener.taskRemoved(attaching[0]);
      }
      return;
    }
    // An unparsable message is refused without its key; answers come in the order of sending.
    const key = frame.request_key ?? sentKeys.find((sent) => requests.get(sent));
    listener.refused(requests.settle(key), frame);
  }

  return { reset, resume, recordSent, handle, catchUp };
}

/** @typedef {ReturnType<typeof createSession>} Session */

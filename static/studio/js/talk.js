// @ts-check
/** What is said on one connection after the other: attach, replay, gaps, and what waits for its answer. */

import { isTerminal, newRequestKey } from "./protocol.js";

/** @import {ClientMessage, EventFrame, Refusal, Task} from "./protocol.js" */
/** @import {Ledger} from "./ledger.js" */
/** @import {KeyedMessage, Outbox} from "./outbox.js" */
/** @import {Connection} from "./socket.js" */

/**
 * @typedef {object} Listener what the page is told
 * @property {(connection: Connection) => void} connectionChanged
 * @property {(taskId: string, task: Task) => void} taskLearned
 * @property {(taskId: string, frame: EventFrame, live: boolean) => void} taskChanged
 * @property {(taskId: string) => void} taskForgotten
 * @property {(taskIds: string[]) => void} placesChanged
 * @property {(models: import("./protocol.js").Model[]) => void} [modelsTold]
 * @property {(frame: import("./protocol.js").CollectionFrame) => void} [collectionChanged]
 * @property {() => void} [cameBack] what happened meanwhile elsewhere is told by nobody
 * @property {(message: KeyedMessage, answer: {taskId: string, duplicate: boolean}) => void} accepted
 * @property {(message: KeyedMessage | null, refusal: Refusal) => void} refused
 * @property {(taskId: string, answer: string) => void} cancelAnswered
 * @property {(events: number) => void} caughtUp
 * @property {(serverTime: number) => void} serverTimeTold
 */

export class Talk {
  #ledger;
  #outbox;
  #listener;
  #send;
  #sendLater;

  /** Tasks whose replay is under way, by the key of the attach. @type {Map<string, string>} */
  #replaying = new Map();
  /** Tasks that are being caught up after a lost connection. @type {Set<string>} */
  #resuming = new Set();
  /** Tasks that are attached on this connection. @type {Set<string>} */
  #attached = new Set();
  /** Keys of the outbox's messages that went out on this connection. @type {string[]} */
  #sentKeys = [];
  #caughtUp = 0;
  #unavailable = 0;

  /**
   * @param {object} parts
   * @param {Ledger} parts.ledger
   * @param {Outbox} parts.outbox
   * @param {Listener} parts.listener
   * @param {(message: ClientMessage) => void} parts.send
   * @param {(message: KeyedMessage, failures: number) => void} parts.sendLater
   */
  constructor({ ledger, outbox, listener, send, sendLater }) {
    this.#ledger = ledger;
    this.#outbox = outbox;
    this.#listener = listener;
    this.#send = send;
    this.#sendLater = sendLater;
  }

  /** Nothing of an earlier connection holds on a new one. */
  reset() {
    this.#replaying.clear();
    this.#resuming.clear();
    this.#attached.clear();
    this.#sentKeys = [];
  }

  /**
   * @param {{task_id: string}[]} active the person's unfinished tasks, as `hello` names them
   * @param {boolean} again whether something may have been missed meanwhile
   */
  greet(active, again) {
    this.#caughtUp = 0;
    for (const { task_id: taskId } of active) {
      if (this.#ledger.wants(taskId)) this.#ledger.expect(taskId);
    }
    for (const taskId of this.#ledger.unfinished()) {
      if (again) this.#resuming.add(taskId);
      this.#attach(taskId);
    }
    if (again) this.#listener.cameBack?.();
    for (const message of this.#outbox.all()) this.#send(message);
  }

  /** @param {ClientMessage} message it is on its way */
  sent({ request_key: key }) {
    if (key && this.#outbox.get(key)) this.#sentKeys.push(key);
  }

  /** @param {any} frame A frame about tasks; what is unknown says nothing that we need. */
  hear(frame) {
    switch (frame.type) {
      case "ack": return this.#ack(frame);
      case "task": return this.#task(frame);
      case "live": return this.#live(frame.task_id, frame.seq);
      case "queue": return this.#listener.placesChanged(this.#ledger.arrange(frame.tasks));
      case "collection": return this.#listener.collectionChanged?.(frame);
      case "models": return this.#listener.modelsTold?.(frame.models);
      case "answer": return this.#answer(frame);
      case "error":
        return "seq" in frame ? this.#event(frame) : this.#refused(frame);
      case "progress":
      case "result":
      case "cancelled": return this.#event(frame);
      default:
    }
  }

  /** @param {Record<string, number>} cursors what the server has told, or could tell */
  compare(cursors) {
    for (const taskId of this.#ledger.unfinished()) {
      if (cursors[taskId] > this.#ledger.cursor(taskId)) this.#attach(taskId);
    }
  }

  /** @param {string} taskId */
  #attach(taskId) {
    if (this.#replaying.has(taskId)) return;
    const key = newRequestKey();
    this.#replaying.set(taskId, key);
    this.#send({
      action: "attach", task_id: taskId, after: this.#ledger.cursor(taskId), request_key: key,
    });
  }

  /** @param {{task_id: string, request_key?: string | null, duplicate?: boolean, task?: Task}} frame */
  #ack(frame) {
    const { task_id: taskId, task } = frame;
    this.#unavailable = 0;
    const message = this.#outbox.settle(frame.request_key);
    this.#ledger.expect(taskId);
    if (message) {
      this.#listener.accepted(message, { taskId, duplicate: frame.duplicate === true });
    }
    if (task) {
      this.#attached.add(taskId); // the ack attaches us
      this.#task({ task_id: taskId, task });
    } else if (this.#ledger.task(taskId) === null) {
      this.#attach(taskId); // only `task` says what the server filled in
    }
  }

  /** @param {{task_id: string, task: Task}} frame Never moves a cursor. */
  #task(frame) {
    const { task_id: taskId, task } = frame;
    if (!this.#ledger.wants(taskId)) return;
    const known = this.#ledger.task(taskId) !== null;
    this.#ledger.learn(taskId, task);
    if (!this.#ledger.isFinished(taskId) && !this.#attached.has(taskId)) this.#attach(taskId);
    if (!known) this.#listener.taskLearned(taskId, task);
  }

  /** @param {EventFrame} frame */
  #event(frame) {
    const taskId = frame.task_id;
    if (!this.#ledger.wants(taskId)) return;
    const outcome = this.#ledger.apply(frame);
    if (outcome === "gap") {
      this.#attach(taskId);
      return;
    }
    if (outcome === "known") return;
    const replayed = this.#replaying.has(taskId);
    if (this.#resuming.has(taskId)) this.#caughtUp += 1;
    if (isTerminal(frame.status)) this.#outbox.settleAbout("cancel", taskId);
    this.#listener.taskChanged(taskId, frame, !replayed);
    if (isTerminal(frame.status) && !replayed) this.#release(taskId);
  }

  /**
   * @param {string} taskId
   * @param {number} seq the newest event when the replay ended
   */
  #live(taskId, seq) {
    if (!this.#replaying.delete(taskId)) return;
    if (seq > this.#ledger.cursor(taskId)) {
      this.#attach(taskId);
      return;
    }
    this.#attached.add(taskId);
    if (this.#ledger.isFinished(taskId)) this.#release(taskId);
    if (this.#resuming.delete(taskId) && this.#resuming.size === 0) {
      this.#listener.caughtUp(this.#caughtUp);
      this.#caughtUp = 0;
    }
  }

  /** A finished log does not grow: give the place back. @param {string} taskId */
  #release(taskId) {
    this.#attached.delete(taskId);
    this.#send({ action: "detach", task_id: taskId });
  }

  /** @param {{task_id: string, answer: string}} frame */
  #answer(frame) {
    this.#outbox.settleAbout("cancel", frame.task_id);
    this.#listener.cancelAnswered(frame.task_id, frame.answer);
  }

  /** @param {Refusal} frame */
  #refused(frame) {
    const waiting = this.#outbox.get(frame.request_key ?? "");
    if (frame.code === "unavailable" && waiting) {
      // Nothing was lost and nothing was stored: the same key goes out again by itself.
      this.#unavailable += 1;
      this.#sendLater(waiting, this.#unavailable);
      this.#listener.refused(null, frame);
      return;
    }
    const attaching = [...this.#replaying].find(([, key]) => key === frame.request_key);
    if (attaching) {
      this.#replaying.delete(attaching[0]);
      this.#resuming.delete(attaching[0]);
      if (frame.code === "not_found") {
        this.#ledger.forget(attaching[0]);
        this.#listener.taskForgotten(attaching[0]);
      }
      return;
    }
    // What could not even be parsed is refused without its key; answers come in the order of sending.
    const key = frame.request_key ?? this.#sentKeys.find((sent) => this.#outbox.get(sent));
    this.#listener.refused(this.#outbox.settle(key), frame);
  }
}

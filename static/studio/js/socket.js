// @ts-check
/** The page's one WebSocket: attach, replay, ping, reconnect. No DOM. */

import { CLOSE, CLOSE_SILENT, PROTOCOL_VERSION, isTerminal, newRequestKey } from "./protocol.js";
import { Pacer } from "./pacer.js";
import { Timers } from "./timers.js";

/** @import {ClientMessage, EventFrame, Refusal, Task} from "./protocol.js" */
/** @import {Ledger} from "./ledger.js" */
/** @import {KeyedMessage, Outbox} from "./outbox.js" */

export const RETRY_FIRST_MS = 500;
export const RETRY_MOST_MS = 30_000;
export const PING_EVERY_MS = 20_000;
export const ANSWER_WITHIN_MS = 10_000;
/** A connection that lived this long was a good one: the next loss starts from the first delay. */
export const SETTLED_AFTER_MS = 5_000;

/**
 * @typedef {object} Environment everything the socket needs of the browser; tests hand in their own
 * @property {(url: string) => WebSocket} open
 * @property {() => number} now milliseconds
 * @property {() => number} random 0 ≤ x < 1
 * @property {(run: () => void, ms: number) => unknown} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => boolean} isOnline
 */

/**
 * @typedef {object} Connection what the badge shows
 * @property {"connecting" | "live" | "waiting" | "offline" | "stopped"} phase
 * @property {string | null} connectionId
 * @property {number | null} latencyMs
 * @property {number} failures tries since the last good connection
 * @property {number | null} retryAt ms on the environment's clock
 * @property {number | null} lostAt ms; since when what the page shows may be old
 * @property {"sign_in" | "refused" | "protocol" | null} reason why it was stopped
 */

/**
 * @typedef {object} Listener
 * @property {(connection: Connection) => void} connectionChanged
 * @property {(taskId: string, task: Task) => void} taskLearned
 * @property {(taskId: string, frame: EventFrame, live: boolean) => void} taskChanged
 * @property {(taskId: string) => void} taskForgotten
 * @property {(taskIds: string[]) => void} placesChanged
 * @property {(message: KeyedMessage, answer: {taskId: string, duplicate: boolean}) => void} accepted
 * @property {(message: KeyedMessage | null, refusal: Refusal) => void} refused
 * @property {(taskId: string, answer: string) => void} cancelAnswered
 * @property {(events: number) => void} caughtUp
 * @property {(serverTime: number) => void} serverTimeTold
 */

export class StudioSocket {
  #url;
  #ledger;
  #outbox;
  #listener;
  #env;

  /** @type {WebSocket | null} */
  #socket = null;
  /** Grows with every connection: a continuation of an older one sees that it is too late. */
  #generation = 0;
  /** @type {AbortController | null} */
  #listeners = null;
  /** @type {Connection} */
  #connection = {
    phase: "connecting", connectionId: null, latencyMs: null,
    failures: 0, retryAt: null, lostAt: null, reason: null,
  };
  #timers;
  #pacer;
  #pingSentAt = 0;
  /** Tasks whose replay is under way, by the key of the attach. @type {Map<string, string>} */
  #replaying = new Map();
  /** Tasks that are being caught up after a lost connection. @type {Set<string>} */
  #resuming = new Set();
  /** Tasks that are attached on this connection. @type {Set<string>} */
  #attached = new Set();
  /** Keys of the outbox's messages that went out on this connection. @type {string[]} */
  #sentKeys = [];
  #caughtUp = 0;
  #wasLive = false;
  #unavailable = 0;

  /**
   * @param {{url: string, ledger: Ledger, outbox: Outbox, listener: Listener, env: Environment}} parts
   */
  constructor({ url, ledger, outbox, listener, env }) {
    this.#url = url;
    this.#ledger = ledger;
    this.#outbox = outbox;
    this.#listener = listener;
    this.#env = env;
    this.#timers = new Timers(env);
    this.#pacer = new Pacer({
      now: env.now,
      timers: this.#timers,
      send: (/** @type {ClientMessage} */ message) => this.#transmit(message),
    });
  }

  get connection() {
    return this.#connection;
  }

  start() {
    this.#open();
  }

  /** Hang up for good. */
  stop() {
    this.#drop(1000, "");
    this.#change({ phase: "stopped", retryAt: null });
  }

  /** Try at once if a retry is being waited for; otherwise make sure that the line is alive. */
  retryNow() {
    if (this.#connection.phase === "stopped") return;
    if (this.#connection.phase === "live") this.#ping();
    else if (this.#socket === null) this.#open();
  }

  /** The device says that it has no network: keep trying, but say so. */
  noteOffline() {
    const { phase } = this.#connection;
    if (phase === "waiting") this.#change({ phase: "offline" });
    else if (phase === "live") this.#ping();
  }

  /**
   * Send as soon as there is a connection; kept until it is answered.
   *
   * @param {KeyedMessage} message
   */
  ask(message) {
    this.#outbox.put(message);
    if (this.#connection.phase === "live") this.#send(message);
  }

  // --- one connection -------------------------------------------------------------------------

  #open() {
    this.#timers.clear("retry");
    const generation = ++this.#generation;
    this.#pacer.reset();
    this.#sentKeys = [];
    this.#change({ phase: "connecting", retryAt: null });
    const socket = this.#env.open(this.#url);
    const listeners = new AbortController();
    const { signal } = listeners;
    this.#socket = socket;
    this.#listeners = listeners;
    socket.addEventListener(
      "message",
      (event) => {
        if (generation === this.#generation) this.#receive(event.data);
      },
      { signal },
    );
    socket.addEventListener(
      "close",
      (event) => {
        if (generation === this.#generation) this.#closed(event.code);
      },
      { signal },
    );
    this.#timers.set("silence", ANSWER_WITHIN_MS, () => this.#hangUp());
  }

  /** The other side is silent: do not wait for a closing handshake that may never come. */
  #hangUp() {
    this.#drop(CLOSE_SILENT, "no answer");
    this.#closed(CLOSE_SILENT);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #drop(code, reason) {
    this.#generation += 1;
    this.#listeners?.abort();
    this.#socket?.close(code, reason);
    this.#socket = null;
    this.#timers.clearAll();
  }

  /** @param {number} code */
  #closed(code) {
    this.#listeners?.abort();
    this.#socket = null;
    this.#timers.clearAll();
    const wasLive = this.#connection.phase === "live";
    const lostAt = this.#connection.lostAt ?? this.#env.now();
    this.#replaying.clear();
    this.#resuming.clear();
    if (code === CLOSE.NOT_SIGNED_IN || code === CLOSE.REFUSED) {
      const reason = code === CLOSE.REFUSED ? "refused" : "sign_in";
      this.#change({ phase: "stopped", reason, lostAt, latencyMs: null, retryAt: null });
      return;
    }
    // A server that leaves asks us back at once; one that leaves again before hello is in trouble.
    const atOnce = code === CLOSE.LEAVING && wasLive;
    const failures = this.#connection.failures + 1;
    const floor = code === CLOSE.FLOODING ? 4 : 0;
    const wait = atOnce ? 0 : this.#backoff(Math.max(failures, floor));
    this.#change({
      phase: this.#env.isOnline() ? "waiting" : "offline",
      lostAt, failures, latencyMs: null, connectionId: null, retryAt: this.#env.now() + wait,
    });
    this.#timers.set("retry", wait, () => this.#open());
  }

  /** Full jitter: anything from nothing to the doubled limit. @param {number} failures */
  #backoff(failures) {
    const limit = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 10));
    return this.#env.random() * limit;
  }

  // --- what comes in --------------------------------------------------------------------------

  /** @param {unknown} data */
  #receive(data) {
    if (typeof data !== "string") return;
    const frame = JSON.parse(data);
    switch (frame.type) {
      case "hello": return this.#hello(frame);
      case "ack": return this.#ack(frame);
      case "task": return this.#task(frame);
      case "live": return this.#live(frame.task_id, frame.seq);
      case "queue": return this.#listener.placesChanged(this.#ledger.arrange(frame.tasks));
      case "pong": return this.#pong(frame);
      case "answer": return this.#answer(frame);
      case "error":
        return "seq" in frame ? this.#event(frame) : this.#refused(frame);
      case "progress":
      case "result":
      case "cancelled": return this.#event(frame);
      default: // a newer server may say more than we know; nothing we need is lost with it
    }
  }

  /** @param {{protocol: number, connection_id: string, server_time: number, active: {task_id: string}[]}} frame */
  #hello(frame) {
    this.#listener.serverTimeTold(frame.server_time);
    if (frame.protocol !== PROTOCOL_VERSION) {
      this.#drop(1000, "another protocol");
      this.#change({ phase: "stopped", reason: "protocol", retryAt: null });
      return;
    }
    const again = this.#wasLive;
    this.#wasLive = true;
    this.#caughtUp = 0;
    this.#change({
      phase: "live", connectionId: frame.connection_id, lostAt: null, retryAt: null, reason: null,
    });
    this.#timers.set("settled", SETTLED_AFTER_MS, () => this.#change({ failures: 0 }));
    for (const { task_id: taskId } of frame.active) {
      if (this.#ledger.wants(taskId)) this.#ledger.expect(taskId);
    }
    for (const taskId of this.#ledger.unfinished()) {
      if (again) this.#resuming.add(taskId);
      this.#attach(taskId);
    }
    for (const message of this.#outbox.all()) this.#send(message);
    this.#ping();
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
    if (frame.code === "unavailable" && frame.request_key && this.#outbox.get(frame.request_key)) {
      // Nothing was lost and nothing was stored: the same key goes out again by itself.
      this.#unavailable += 1;
      const message = this.#outbox.get(frame.request_key);
      this.#timers.set(`again ${frame.request_key}`, 1_000 + this.#backoff(this.#unavailable + 2), () => {
        if (message && this.#outbox.get(message.request_key)) this.#send(message);
      });
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

  // --- pulse ----------------------------------------------------------------------------------

  #ping() {
    this.#timers.clear("ping");
    /** @type {Record<string, number>} */
    const cursors = {};
    for (const taskId of this.#ledger.unfinished()) cursors[taskId] = this.#ledger.cursor(taskId);
    this.#pingSentAt = this.#env.now();
    this.#send({ action: "ping", cursors });
    this.#timers.set("silence", ANSWER_WITHIN_MS, () => this.#hangUp());
    this.#timers.set("ping", PING_EVERY_MS, () => this.#ping());
  }

  /** @param {{server_time: number}} frame */
  #pong(frame) {
    this.#timers.clear("silence");
    this.#listener.serverTimeTold(frame.server_time);
    this.#change({ latencyMs: Math.round(this.#env.now() - this.#pingSentAt) });
  }

  /** @param {ClientMessage} message */
  #send(message) {
    this.#pacer.send(message);
  }

  /** @param {ClientMessage} message */
  #transmit(message) {
    const { request_key: key } = message;
    if (key && this.#outbox.get(key)) this.#sentKeys.push(key);
    this.#socket?.send(JSON.stringify(message));
  }

  /** @param {Partial<Connection>} change */
  #change(change) {
    if (change.phase === "connecting") this.#attached.clear();
    this.#connection = { ...this.#connection, ...change };
    this.#listener.connectionChanged(this.#connection);
  }
}

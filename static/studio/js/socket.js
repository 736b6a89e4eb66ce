// @ts-check
/** The page's one connection: open, hello, ping, reconnect, whatever carries it. No DOM. */

import { CLOSE, CLOSE_SILENT, PROTOCOL_VERSION } from "./protocol.js";
import { Pacer } from "./pacer.js";
import { Talk } from "./talk.js";
import { Timers } from "./timers.js";

/** @import {ClientMessage} from "./protocol.js" */
/** @import {Ladder, Line, Rung, Why} from "./ladder.js" */
/** @import {Ledger} from "./ledger.js" */
/** @import {KeyedMessage, Outbox} from "./outbox.js" */

export const RETRY_FIRST_MS = 500;
export const RETRY_MOST_MS = 30_000;
export const PING_EVERY_MS = 20_000;
export const ANSWER_WITHIN_MS = 10_000;
/** The same once the device has said that its network came or went. */
export const SURE_WITHIN_MS = 3_000;
/** A connection that lived this long was a good one: the next loss starts from the first delay. */
export const SETTLED_AFTER_MS = 5_000;

/**
 * @typedef {object} Environment everything the socket needs of the browser; tests hand in their own
 * @property {() => number} now milliseconds
 * @property {() => number} random 0 ≤ x < 1
 * @property {(run: () => void, ms: number) => unknown} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => boolean} isOnline
 */

/**
 * @typedef {object} Connection what the badge shows
 * @property {"connecting" | "live" | "waiting" | "offline" | "stopped"} phase
 * @property {Rung} rung what carries it, or would
 * @property {Why | null} why it is not a WebSocket
 * @property {string | null} connectionId
 * @property {number | null} latencyMs
 * @property {number} failures tries since the last good connection
 * @property {number | null} retryAt ms on the environment's clock
 * @property {number | null} lostAt ms; since when what the page shows may be old
 * @property {"sign_in" | "refused" | "protocol" | null} reason why it was stopped
 */

/** @typedef {import("./talk.js").Listener} Listener */

export class StudioSocket {
  #ladder;
  #ledger;
  #outbox;
  #listener;
  #env;

  /** @type {Line | null} */
  #line = null;
  /** Grows with every connection: a continuation of an older one sees that it is too late. */
  #generation = 0;
  /** @type {AbortController | null} */
  #listeners = null;
  /** @type {Connection} */
  #connection = {
    phase: "connecting", rung: "ws", why: null, connectionId: null, latencyMs: null,
    failures: 0, retryAt: null, lostAt: null, reason: null,
  };
  #timers;
  #pacer;
  #talk;
  #pingSentAt = 0;
  #pingWithin = ANSWER_WITHIN_MS;
  #wasLive = false;
  /** The line that is open has said hello. */
  #isGreeted = false;

  /**
   * @param {{ladder: Ladder, ledger: Ledger, outbox: Outbox, listener: Listener, env: Environment}} parts
   */
  constructor({ ladder, ledger, outbox, listener, env }) {
    this.#ladder = ladder;
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
    this.#talk = new Talk({
      ledger, outbox, listener,
      send: (message) => this.#send(message),
      sendLater: (message, failures) => this.#sendLater(message, failures),
    });
    ladder.onDescent = () => this.#openAnew();
    ladder.onClimb = (line, hello) => this.#takeOver(line, hello);
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
    this.#ladder.stop();
    this.#change({ phase: "stopped", retryAt: null });
  }

  /** Try at once if a retry is being waited for; otherwise make sure that the line is alive. */
  retryNow() {
    if (this.#connection.phase === "stopped") return;
    if (this.#line === null) this.#open();
    else if (this.#isGreeted) this.#ping();
  }

  /** The device says that it has no network: say so at once. A line that still answers is one all the same. */
  noteOffline() {
    const { phase, lostAt } = this.#connection;
    if (phase === "stopped" || phase === "offline") return;
    if (this.#isGreeted) this.#ping(SURE_WITHIN_MS);
    this.#change({ phase: "offline", lostAt: lostAt ?? this.#env.now(), latencyMs: null });
  }

  /** The device says that it has a network again: what was open may have gone with the old one. */
  noteOnline() {
    if (this.#isGreeted) this.#ping(SURE_WITHIN_MS);
    else this.retryNow();
  }

  /**
   * Send as soon as there is a connection; kept until it is answered.
   *
   * @param {KeyedMessage} message
   */
  ask(message) {
    this.#outbox.put(message);
    if (this.#isGreeted) this.#send(message);
  }

  #open() {
    this.#timers.clear("retry");
    this.#change({ phase: "connecting", retryAt: null });
    this.#listenTo(this.#ladder.open());
    this.#timers.set("silence", this.#ladder.patienceMs, () => this.#hangUp());
  }

  /** There is another way: do not wait for an answer, or for a retry, on the old one. */
  #openAnew() {
    if (this.#connection.phase === "stopped") return;
    this.#drop(1000, "another way");
    this.#open();
  }

  /** @param {Line} line */
  #listenTo(line) {
    const generation = ++this.#generation;
    this.#pacer.reset();
    this.#talk.reset();
    this.#line = line;
    this.#isGreeted = false;
    this.#listeners = new AbortController();
    const { signal } = this.#listeners;
    const isOurs = () => generation === this.#generation;
    line.addEventListener("message", (/** @type {any} */ { data }) => isOurs() && this.#receive(data), { signal });
    line.addEventListener("close", (/** @type {any} */ { code }) => isOurs() && this.#closed(code), { signal });
  }

  /**
   * A better line said hello: it goes on where this one stands, by its cursors.
   * @param {Line} line
   * @param {string} hello
   */
  #takeOver(line, hello) {
    this.#drop(1000, "a better line");
    this.#wasLive = false; // nothing was missed
    this.#listenTo(line);
    this.#receive(hello);
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
    this.#line?.close(code, reason);
    this.#line = null;
    this.#isGreeted = false;
    this.#timers.clearAll();
  }

  /** @param {number} code */
  #closed(code) {
    this.#listeners?.abort();
    const wasLive = this.#isGreeted;
    this.#line = null;
    this.#isGreeted = false;
    this.#timers.clearAll();
    const lostAt = this.#connection.lostAt ?? this.#env.now();
    this.#talk.reset();
    if (code === CLOSE.NOT_SIGNED_IN || code === CLOSE.REFUSED) {
      const reason = code === CLOSE.REFUSED ? "refused" : "sign_in";
      this.#ladder.stop();
      this.#change({ phase: "stopped", reason, lostAt, latencyMs: null, retryAt: null });
      return;
    }
    // A server that leaves asks us back at once; one that leaves again before hello is in trouble.
    const atOnce = code === CLOSE.LEAVING && wasLive;
    const failures = this.#connection.failures + 1;
    const wait = atOnce ? 0 : this.#backoff(code === CLOSE.FLOODING ? Math.max(failures, 4) : failures);
    this.#change({
      phase: this.#env.isOnline() ? "waiting" : "offline",
      lostAt, failures, latencyMs: null, connectionId: null, retryAt: this.#env.now() + wait,
    });
    this.#timers.set("retry", wait, () => this.#open());
    this.#ladder.lost(code);
  }

  /** Full jitter: anything from nothing to the doubled limit. @param {number} failures */
  #backoff(failures) {
    const limit = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 10));
    return this.#env.random() * limit;
  }

  /** @param {unknown} data */
  #receive(data) {
    if (typeof data !== "string") return;
    const frame = JSON.parse(data);
    if (frame.type === "hello") this.#hello(frame);
    else if (frame.type === "pong") this.#pong(frame);
    else this.#talk.hear(frame);
  }

  /** @param {{protocol: number, connection_id: string, server_time: number, active: {task_id: string}[]}} frame */
  #hello(frame) {
    this.#listener.serverTimeTold(frame.server_time);
    if (frame.protocol !== PROTOCOL_VERSION) {
      this.#drop(1000, "another protocol");
      this.#ladder.stop();
      this.#change({ phase: "stopped", reason: "protocol", retryAt: null });
      return;
    }
    const again = this.#wasLive;
    this.#wasLive = this.#isGreeted = true;
    this.#ladder.reached(frame.server_time);
    this.#change({
      phase: "live", connectionId: frame.connection_id, lostAt: null, retryAt: null, reason: null,
    });
    this.#timers.set("settled", SETTLED_AFTER_MS, () => this.#change({ failures: 0 }));
    this.#talk.greet(frame.active, again);
    this.#ping();
  }

  /** @param {number} [within] ms in which its answer has to come */
  #ping(within = ANSWER_WITHIN_MS) {
    this.#pingWithin = within;
    /** @type {Record<string, number>} */
    const cursors = {};
    for (const taskId of this.#ledger.unfinished()) cursors[taskId] = this.#ledger.cursor(taskId);
    this.#timers.set("ping", PING_EVERY_MS, () => this.#ping());
    this.#pacer.sendFirst({ action: "ping", cursors });
  }

  /** @param {{server_time: number, cursors: Record<string, number>}} frame */
  #pong(frame) {
    this.#timers.clear("silence");
    this.#listener.serverTimeTold(frame.server_time);
    this.#ladder.since = frame.server_time;
    this.#change({ phase: "live", lostAt: null, latencyMs: Math.round(this.#env.now() - this.#pingSentAt) });
    this.#talk.compare(frame.cursors);
  }

  /** @param {ClientMessage} message */
  #send(message) {
    this.#pacer.send(message);
  }

  /**
   * @param {KeyedMessage} message
   * @param {number} failures
   */
  #sendLater(message, failures) {
    this.#timers.set(`again ${message.request_key}`, 1_000 + this.#backoff(failures + 2), () => {
      if (this.#outbox.get(message.request_key)) this.#send(message);
    });
  }

  /** @param {ClientMessage} message */
  #transmit(message) {
    this.#talk.sent(message);
    if (message.action === "ping") {
      // only now: what waits for its turn cannot have been answered
      this.#pingSentAt = this.#env.now();
      this.#timers.set("silence", this.#pingWithin, () => this.#hangUp());
    }
    this.#line?.send(JSON.stringify(message));
  }

  /** @param {Partial<Connection>} change */
  #change(change) {
    const { rung, why } = this.#ladder;
    this.#connection = { ...this.#connection, rung, why, ...change };
    this.#listener.connectionChanged(this.#connection);
  }
}

// @ts-check
/** The page's one connection: open, hello, ping, reconnect, whatever carries it. No DOM. */

import { CLOSE, CLOSE_SILENT, PROTOCOL_VERSION } from "./protocol.js";
import { createSession } from "./session.js";
import { createPacer, createTimers } from "./timers.js";

/** @import {ClientMessage} from "./protocol.js" */
/** @import {Transports, Channel, Transport, Why} from "./transports.js" */
/** @import {TaskStore} from "../state/task-store.js" */
/** @import {KeyedMessage, PendingRequests} from "../state/pending-requests.js" */

const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 30_000;
const PING_EVERY_MS = 20_000;
const ANSWER_WITHIN_MS = 10_000;
/** The same once the device has said that its network came or went. */
const SURE_WITHIN_MS = 3_000;
/** A connection that lived this long was a good one: the next loss starts from the first delay. */
const SETTLED_AFTER_MS = 5_000;

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
 * @property {Transport} transport what carries it, or would
 * @property {Why | null} why it is not a WebSocket
 * @property {string | null} connectionId
 * @property {number | null} latencyMs
 * @property {number} failures tries since the last good connection
 * @property {number | null} retryAt ms on the environment's clock
 * @property {number | null} lostAt ms; since when what the page shows may be old
 * @property {"sign_in" | "refused" | "protocol" | null} reason why it was stopped
 */

/** @typedef {import("./session.js").Listener} Listener */

/**
 * @param {{transports: Transports, taskStore: TaskStore, requests: PendingRequests, listener: Listener, env: Environment}} parts
 */
export function createSocket({ transports, taskStore, requests, listener, env }) {
  /** @type {Channel | null} */
  let channel = null;
  /** Grows with every connection: a continuation of an older one sees that it is too late. */
  let generation = 0;
  /** @type {AbortController | null} */
  let listening = null;
  /** @type {Connection} */
  let connection = {
    phase: "connecting", transport: "ws", why: null, connectionId: null, latencyMs: null,
    failures: 0, retryAt: null, lostAt: null, reason: null,
  };
  const timers = createTimers(env);
  const pacer = createPacer({ now: env.now, timers, send: transmit });
  const session = createSession({ taskStore, requests, listener, send: pacer.send, sendLater });
  let pingSentAt = 0;
  let pingWithin = ANSWER_WITHIN_MS;
  let wasLive = false;
  /** The channel that is open has said hello. */
  let isGreeted = false;

  /** Hang up for good. */
  function stop() {
    drop(1000, "");
    transports.stop();
    change({ phase: "stopped", retryAt: null });
  }

  /** Try at once if a retry is being waited for; otherwise make sure that the channel is alive. */
  function retryNow() {
    if (connection.phase === "stopped") return;
    if (channel === null) open();
    else if (isGreeted) ping();
  }

  /** The device says that it has no network: say so at once. A channel that still answers is one all the same. */
  function noteOffline() {
    const { phase, lostAt } = connection;
    if (phase === "stopped" || phase === "offline") return;
    if (isGreeted) ping(SURE_WITHIN_MS);
    change({ phase: "offline", lostAt: lostAt ?? env.now(), latencyMs: null });
  }

  /** The device says that it has a network again: what was open may have gone with the old one. */
  function noteOnline() {
    if (isGreeted) ping(SURE_WITHIN_MS);
    else retryNow();
  }

  /**
   * Send as soon as there is a connection; kept until it is answered.
   *
   * @param {KeyedMessage} message
   */
  function ask(message) {
    requests.put(message);
    if (isGreeted) pacer.send(message);
  }

  function open() {
    timers.clear("retry");
    change({ phase: "connecting", retryAt: null });
    listenTo(transports.open());
    timers.set("silence", transports.helloTimeoutMs, hangUp);
  }

  /** There is another way: do not wait for an answer, or for a retry, on the old one. */
  function openAnew() {
    if (connection.phase === "stopped") return;
    drop(1000, "another way");
    open();
  }

  /** @param {Channel} opened */
  function listenTo(opened) {
    const ours = ++generation;
    pacer.reset();
    session.reset();
    channel = opened;
    isGreeted = false;
    listening = new AbortController();
    const { signal } = listening;
    const isOurs = () => ours === generation;
    opened.addEventListener("message", (/** @type {any} */ { data }) => isOurs() && receive(data), { signal });
    opened.addEventListener("close", (/** @type {any} */ { code }) => isOurs() && onClosed(code), { signal });
  }

  /**
   * A better channel said hello: it goes on where this one stands, by its cursors.
   * @param {Channel} channel
   * @param {string} hello
   */
  function takeOver(channel, hello) {
    drop(1000, "a better channel");
    wasLive = false; // nothing was missed
    listenTo(channel);
    receive(hello);
  }

  /** The other side is silent: do not wait for a closing handshake that may never come. */
  function hangUp() {
    drop(CLOSE_SILENT, "no answer");
    onClosed(CLOSE_SILENT);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  function drop(code, reason) {
    generation += 1;
    listening?.abort();
    channel?.close(code, reason);
    channel = null;
    isGreeted = false;
    timers.clearAll();
  }

  /** @param {number} code */
  function onClosed(code) {
    listening?.abort();
    const wasGreeted = isGreeted;
    channel = null;
    isGreeted = false;
    timers.clearAll();
    const lostAt = connection.lostAt ?? env.now();
    session.reset();
    if (code === CLOSE.NOT_SIGNED_IN || code === CLOSE.REFUSED) {
      const reason = code === CLOSE.REFUSED ? "refused" : "sign_in";
      transports.stop();
      change({ phase: "stopped", reason, lostAt, latencyMs: null, retryAt: null });
      return;
    }
    // A server that leaves asks us back at once; one that leaves again before hello is in trouble.
    const atOnce = code === CLOSE.LEAVING && wasGreeted;
    const failures = connection.failures + 1;
    const wait = atOnce ? 0 : backoff(code === CLOSE.FLOODING ? Math.max(failures, 4) : failures);
    change({
      phase: env.isOnline() ? "waiting" : "offline",
      lostAt, failures, latencyMs: null, connectionId: null, retryAt: env.now() + wait,
    });
    timers.set("retry", wait, open);
    transports.closed(code);
  }

  /** Full jitter: anything from nothing to the doubled limit. @param {number} failures */
  function backoff(failures) {
    const limit = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 10));
    return env.random() * limit;
  }

  /** @param {unknown} data */
  function receive(data) {
    if (typeof data !== "string") return;
    const frame = JSON.parse(data);
    if (frame.type === "hello") onHello(frame);
    else if (frame.type === "pong") onPong(frame);
    else session.handle(frame);
  }

  /** @param {{protocol: number, connection_id: string, server_time: number, active: {task_id: string}[]}} frame */
  function onHello(frame) {
    listener.serverTimeTold(frame.server_time);
    if (frame.protocol !== PROTOCOL_VERSION) {
      drop(1000, "another protocol");
      transports.stop();
      change({ phase: "stopped", reason: "protocol", retryAt: null });
      return;
    }
    const again = wasLive;
    wasLive = isGreeted = true;
    transports.connected(frame.server_time);
    change({
      phase: "live", connectionId: frame.connection_id, lostAt: null, retryAt: null, reason: null,
    });
    timers.set("settled", SETTLED_AFTER_MS, () => change({ failures: 0 }));
    session.greet(frame.active, again);
    ping();
  }

  /** @param {number} [within] ms in which its answer has to come */
  function ping(within = ANSWER_WITHIN_MS) {
    pingWithin = within;
    /** @type {Record<string, number>} */
    const cursors = {};
    for (const taskId of taskStore.unfinished()) cursors[taskId] = taskStore.cursor(taskId);
    timers.set("ping", PING_EVERY_MS, ping);
    pacer.sendFirst({ action: "ping", cursors });
  }

  /** @param {{server_time: number, cursors: Record<string, number>}} frame */
  function onPong(frame) {
    timers.clear("silence");
    listener.serverTimeTold(frame.server_time);
    transports.since = frame.server_time;
    change({ phase: "live", lostAt: null, latencyMs: Math.round(env.now() - pingSentAt) });
    session.compare(frame.cursors);
  }

  /**
   * @param {KeyedMessage} message
   * @param {number} failures
   */
  function sendLater(message, failures) {
    timers.set(`again ${message.request_key}`, 1_000 + backoff(failures + 2), () => {
      if (requests.get(message.request_key)) pacer.send(message);
    });
  }

  /** @param {ClientMessage} message */
  function transmit(message) {
    session.sent(message);
    if (message.action === "ping") {
      // only now: what waits for its turn cannot have been answered
      pingSentAt = env.now();
      timers.set("silence", pingWithin, hangUp);
    }
    channel?.send(JSON.stringify(message));
  }

  /** @param {Partial<Connection>} changed */
  function change(changed) {
    const { transport, why } = transports;
    connection = { ...connection, transport, why, ...changed };
    listener.connectionChanged(connection);
  }

  transports.onFallback = openAnew;
  transports.onUpgrade = takeOver;
  return {
    get connection() {
      return connection;
    },
    start: open, stop, retryNow, noteOffline, noteOnline, ask,
  };
}

/** @typedef {ReturnType<typeof createSocket>} StudioSocket */

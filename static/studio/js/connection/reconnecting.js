// @ts-check
/** The connection of the page over any transport: open, hello, ping, reconnect. No DOM. */

import { CLOSE, CLOSE_SILENT, PROTOCOL_VERSION } from "./protocol.js";
import { createSession } from "./session.js";
import { createPacer, createTimers } from "./timers.js";

/** @import {ClientMessage} from "./protocol.js" */
/** @import {Transports, Channel, Transport, Why} from "./transport-choice.js" */
/** @import {TaskStore} from "../state/task-store.js" */
/** @import {KeyedMessage, PendingRequests} from "../state/pending-requests.js" */

const RETRY_FIRST_MS = 500;
const RETRY_MOST_MS = 30_000;
const PING_EVERY_MS = 20_000;
const ANSWER_TIMEOUT_MS = 10_000;
/** The same after the device reported that its network came or went. */
const QUICK_TIMEOUT_MS = 3_000;
/** After a connection that lasted this long, the next retry has the first delay again. */
const SETTLED_AFTER_MS = 5_000;

/**
 * @typedef {object} Environment what the socket needs of the browser; tests pass their own
 * @property {() => number} now milliseconds
 * @property {() => number} random 0 ≤ x < 1
 * @property {(run: () => void, ms: number) => unknown} setTimeout
 * @property {(timer: any) => void} clearTimeout
 * @property {() => boolean} isOnline
 */

/**
 * @typedef {object} Connection what the badge shows
 * @property {"connecting" | "live" | "waiting" | "offline" | "stopped"} phase
 * @property {Transport} transport the current one, or the next one to try
 * @property {Why | null} why a better one is not used
 * @property {string | null} connectionId
 * @property {number | null} latencyMs
 * @property {number} failures since the last good connection
 * @property {number | null} retryAt ms on the environment's clock
 * @property {number | null} lostAt ms; the page may be out of date since then
 * @property {"sign_in" | "refused" | "protocol" | null} reason why it was stopped
 */

/** @typedef {import("./session.js").Listener} Listener */

/**
 * @param {{transports: Transports, taskStore: TaskStore, requests: PendingRequests, listener: Listener, env: Environment}} parts
 */
export function createSocket({ transports, taskStore, requests, listener, env }) {
  /** @type {Channel | null} */
  let channel = null;
  /** Grows with every connection, so that callbacks of an older one are ignored. */
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
  let pongTimeoutMs = ANSWER_TIMEOUT_MS;
  let wasLive = false;
  /** Whether the open channel received `hello`. */
  let isReady = false;

  /** Close for good. */
  function stop() {
    disconnect(1000, "");
    transports.stop();
    change({ phase: "stopped", retryAt: null });
  }

  /** Connect at once if a retry is pending; otherwise test the channel. */
  function retryNow() {
    if (connection.phase === "stopped") return;
    if (channel === null) open();
    else if (isReady) ping();
  }

  /** The device reports no network: show it at once, and test the channel, which may still answer. */
  function handleOffline() {
    const { phase, lostAt } = connection;
    if (phase === "stopped" || phase === "offline") return;
    if (isReady) ping(QUICK_TIMEOUT_MS);
    change({ phase: "offline", lostAt: lostAt ?? env.now(), latencyMs: null });
  }

  /** The device reports a network: a channel over the old one may be dead. */
  function handleOnline() {
    if (isReady) ping(QUICK_TIMEOUT_MS);
    else retryNow();
  }

  /**
   * Send as soon as there is a connection, and again until it is answered.
   *
   * @param {KeyedMessage} message
   */
  function request(message) {
    requests.put(message);
    if (isReady) pacer.send(message);
  }

  function open() {
    timers.clear("retry");
    change({ phase: "connecting", retryAt: null });
    listenTo(transports.open());
    timers.set("silence", transports.helloTimeoutMs, onSilence);
  }

  /** The transport changed: do not wait for an answer or a retry on the old one. */
  function reopen() {
    if (connection.phase === "stopped") return;
    disconnect(1000, "another transport");
    open();
  }

  /** @param {Channel} opened */
  function listenTo(opened) {
    const ours = ++generation;
    pacer.reset();
    session.reset();
    channel = opened;
    isReady = false;
    listening = new AbortController();
    const { signal } = listening;
    const isOurs = () => ours === generation;
    opened.addEventListener("message", (/** @type {any} */ { data }) => isOurs() && receive(data), { signal });
    opened.addEventListener("close", (/** @type {any} */ { code }) => isOurs() && onClosed(code), { signal });
  }

  /**
   * A better channel received `hello`: it continues from the cursors of this one.
   *
   * @param {Channel} channel
   * @param {string} hello
   */
  function takeOver(channel, hello) {
    disconnect(1000, "a better transport");
    wasLive = false; // nothing was missed
    listenTo(channel);
    receive(hello);
  }

  /** No answer: do not wait for a closing handshake that may never come. */
  function onSilence() {
    disconnect(CLOSE_SILENT, "no answer");
    onClosed(CLOSE_SILENT);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  function disconnect(code, reason) {
    generation += 1;
    listening?.abort();
    channel?.close(code, reason);
    channel = null;
    isReady = false;
    timers.clearAll();
  }

  /** @param {number} code */
  function onClosed(code) {
    listening?.abort();
    const wasReady = isReady;
    channel = null;
    isReady = false;
    timers.clearAll();
    const lostAt = connection.lostAt ?? env.now();
    session.reset();
    // after a connection: the browser may have a new cookie, e.g. from another window that changed the password
    const mayBeSignedIn = code === CLOSE.NOT_SIGNED_IN && wasReady;
    if ((code === CLOSE.NOT_SIGNED_IN && !mayBeSignedIn) || code === CLOSE.REFUSED) {
      const reason = code === CLOSE.REFUSED ? "refused" : "sign_in";
      transports.stop();
      change({ phase: "stopped", reason, lostAt, latencyMs: null, retryAt: null });
      return;
    }
    // A server that leaves asks for an immediate reconnect; not if it leaves again before hello.
    const atOnce = mayBeSignedIn || (code === CLOSE.LEAVING && wasReady);
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
    // frames ahead of the pong show that the channel is not silent, however long they take
    if (isReady && timers.has("silence")) timers.set("silence", pongTimeoutMs, onSilence);
    if (frame.type === "hello") onHello(frame);
    else if (frame.type === "pong") onPong(frame);
    else session.handle(frame);
  }

  /** @param {{protocol: number, connection_id: string, server_time: number, active: {task_id: string}[]}} frame */
  function onHello(frame) {
    listener.serverTimeReceived(frame.server_time);
    if (frame.protocol !== PROTOCOL_VERSION) {
      disconnect(1000, "another protocol");
      transports.stop();
      change({ phase: "stopped", reason: "protocol", retryAt: null });
      return;
    }
    const again = wasLive;
    wasLive = isReady = true;
    transports.connected(frame.server_time);
    change({
      phase: "live", connectionId: frame.connection_id, lostAt: null, retryAt: null, reason: null,
    });
    timers.set("settled", SETTLED_AFTER_MS, () => change({ failures: 0 }));
    session.resume(frame.active, again);
    ping();
  }

  /** @param {number} [timeoutMs] for its answer */
  function ping(timeoutMs = ANSWER_TIMEOUT_MS) {
    pongTimeoutMs = timeoutMs;
    /** @type {Record<string, number>} */
    const cursors = {};
    for (const taskId of taskStore.unfinished()) cursors[taskId] = taskStore.cursor(taskId);
    timers.set("ping", PING_EVERY_MS, ping);
    pacer.sendFirst({ action: "ping", cursors });
  }

  /** @param {{server_time: number, cursors: Record<string, number>}} frame */
  function onPong(frame) {
    timers.clear("silence");
    listener.serverTimeReceived(frame.server_time);
    transports.since = frame.server_time;
    change({ phase: "live", lostAt: null, latencyMs: Math.round(env.now() - pingSentAt) });
    session.catchUp(frame.cursors);
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
    session.recordSent(message);
    if (message.action === "ping") {
      // only now: a delayed message cannot have been answered
      pingSentAt = env.now();
      timers.set("silence", pongTimeoutMs, onSilence);
    }
    channel?.send(JSON.stringify(message));
  }

  /** @param {Partial<Connection>} changed */
  function change(changed) {
    const { transport, why } = transports;
    connection = { ...connection, transport, why, ...changed };
    listener.connectionChanged(connection);
  }

  transports.onFallback = reopen;
  transports.onUpgrade = takeOver;
  return {
    get connection() {
      return connection;
    },
    start: open, stop, retryNow, handleOffline, handleOnline, request,
  };
}

/** @typedef {ReturnType<typeof createSocket>} StudioSocket */

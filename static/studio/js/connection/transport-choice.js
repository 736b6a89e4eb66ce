// @ts-check
/** Which transport connects to the server: a WebSocket, or, where that is blocked, an event stream or polling. */

import { CLOSE, CLOSE_SILENT } from "./protocol.js";

/** @import {Fallback} from "./fallback-transports.js" */
/** @import {TaskStore} from "../state/task-store.js" */

/** @typedef {"ws" | "sse" | "poll"} Transport the best one first */
/** @typedef {"blocked" | "held_back" | "too_many" | "earlier"} Why a better transport is not used; "earlier": this tab left it before a reload */
/** @typedef {EventTarget & {send: (text: string) => void, close: (code?: number, reason?: string) => void}} Channel an open connection, with the part of a WebSocket's interface that is used */
/** @typedef {(since: number | null) => Channel} Make since: server time up to which the page knows everything, in Unix seconds */
/** @typedef {{now: () => number, setTimeout: (run: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} Clock */

/** @type {readonly Transport[]} */
const TRANSPORTS = ["ws", "sse", "poll"];

const HELLO_TIMEOUT_MS = { ws: 10_000, sse: 8_000, poll: 10_000 };

/** Attempts without `hello` before a transport counts as blocked. */
const TRIES = 2;
/** If it has worked on this page, a restart of the server is more likely. */
const TRIES_AFTER_SUCCESS = 4;

const STORED_AS = "studio.transport";

/**
 * @param {object} parts
 * @param {Make} parts.ws
 * @param {() => Promise<Pick<Fallback, "makers" | "isReachable" | "Upgrade">>} parts.load the other transports
 * @param {Pick<Storage, "getItem" | "setItem" | "removeItem"> | null} parts.store of this tab
 * @param {Clock} parts.clock
 */
export function createTransports({ ws, load, store, clock }) {
  /** @type {Transport} */
  let transport = "ws";
  /** @type {Why | null} */
  let why = null;
  let failures = 0;
  /** Streams in a row that fell silent after their `hello`. */
  let silences = 0;
  /** Whether this transport got a `hello` on this page. */
  let hasWorked = false;
  /** Whether the current connection, or the last one, got its `hello`. */
  let hasHello = false;
  /** Loaded with the first transport that is not the best. @type {Awaited<ReturnType<typeof load>> | null} */
  let fallback = null;
  /** @type {InstanceType<Fallback["Upgrade"]> | null} */
  let upgrade = null;

  /** Begin with the transport that this tab used before a reload. */
  async function prepare() {
    const stored = TRANSPORTS.slice(1).find((transport) => transport === store?.getItem(STORED_AS));
    if (stored && (await loadFallback())) switchTo(stored, "earlier");
  }

  /** @returns {Channel} */
  function open() {
    hasHello = false;
    return openWith(transport);
  }

  /** The opened channel received `hello`. @param {number} serverTime Unix seconds */
  function connected(serverTime) {
    transports.since = serverTime;
    hasHello = true;
    hasWorked = true;
    failures = 0;
    try {
      if (transport === "ws") store?.removeItem(STORED_AS);
      else store?.setItem(STORED_AS, transport);
    } catch {
      // storage is full or forbidden: the next load begins with the WebSocket
    }
    upgrade?.schedule(TRANSPORTS.slice(0, TRANSPORTS.indexOf(transport)));
  }

  /** The opened channel ended. @param {number} code its close code */
  function closed(code) {
    stop();
    if (transport === "sse" && code === CLOSE.FLOODING) {
      hasHello = false;
      fallBack("too_many");
      return;
    }
    const wasSilent = transport === "sse" && code === CLOSE_SILENT;
    silences = wasSilent ? silences + 1 : 0;
    if (CLOSES.has(code)) failures = 0; // a code of the server proves that its messages arrive
    else if (wasSilent && (!hasHello || silences >= TRIES)) failures = TRIES_AFTER_SUCCESS;
    else if (!hasHello) failures += 1;
    hasHello = false;
    if (failures >= (hasWorked ? TRIES_AFTER_SUCCESS : TRIES)) {
      fallBack(transport === "ws" ? "blocked" : "held_back");
    }
  }

  /** Stop trying better transports. */
  function stop() {
    upgrade?.stop();
  }

  /** Change to the next transport, if the server can be reached: without a network none would work.
   *
   * @param {Why} reason
   */
  async function fallBack(reason) {
    const from = transport;
    const next = TRANSPORTS[TRANSPORTS.indexOf(from) + 1];
    if (!next) return;
    const isReachable = (await loadFallback()) && (await fallback?.isReachable());
    if (!isReachable) failures = 0; // they prove nothing about this transport
    if (!isReachable || transport !== from || hasHello) return;
    switchTo(next, reason);
    transports.onFallback();
  }

  /**
   * @param {Transport} next
   * @param {Why | null} reason
   */
  function switchTo(next, reason) {
    transport = next;
    why = next === "ws" ? null : reason;
    failures = 0;
    silences = 0;
    hasWorked = false;
  }

  /** @returns {Promise<boolean>} false if the request fails */
  async function loadFallback() {
    try {
      fallback ??= await load();
      upgrade ??= new fallback.Upgrade({ open: openWith, helloTimeoutMs: HELLO_TIMEOUT_MS, upgraded, clock });
      return true;
    } catch {
      return false;
    }
  }

  /**
   * @param {Transport} better
   * @param {Channel} channel
   * @param {string} hello
   */
  function upgraded(better, channel, hello) {
    switchTo(better, why);
    transports.onUpgrade(channel, hello);
  }

  /** @param {Transport} transport */
  function openWith(transport) {
    const make = /** @type {Make} */ (transport === "ws" ? ws : fallback?.makers[transport]);
    return make(transports.since);
  }

  const transports = {
    /** Server time of the last message, in Unix seconds. @type {number | null} */
    since: null,
    /** Called after a fallback: a pending retry can start at once. */
    onFallback: () => {},
    /** A better channel received `hello`; its next messages come in later turns. @type {(channel: Channel, hello: string) => void} */
    onUpgrade: () => {},
    get transport() {
      return transport;
    },
    get why() {
      return why;
    },
    get helloTimeoutMs() {
      return HELLO_TIMEOUT_MS[transport];
    },
    prepare, open, connected, closed, stop,
  };
  return transports;
}

/** @typedef {ReturnType<typeof createTransports>} Transports */

/** @type {Set<number>} */
const CLOSES = new Set(Object.values(CLOSE));

/** @type {Clock} */
export const clock = {
  now: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

/**
 * @param {object} parts
 * @param {string} parts.socketPath
 * @param {TaskStore} parts.taskStore
 * @param {number} parts.mostNamed tasks in one URL
 * @param {Storage | null} parts.store of this tab
 * @param {number | null} [parts.since] server time when the page was rendered
 */
export function browserTransports({ socketPath, taskStore, mostNamed, store, since = null }) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const transports = createTransports({
    ws: () => new WebSocket(`${scheme}://${location.host}${socketPath}`),
    load: async () => (await import("./fallback-transports.js")).createFallback({ taskStore, mostNamed, clock }),
    store,
    clock,
  });
  transports.since = since;
  return transports;
}

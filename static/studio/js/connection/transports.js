// @ts-check
/** Which transport leads to the server: a WebSocket, an event stream where that is blocked, or asking again and again. */

import { at } from "../lib/dom.js";
import { CLOSE, CLOSE_SILENT } from "./protocol.js";

/** @import {TransportUpgrade} from "./transport-upgrade.js" */
/** @import {TaskStore} from "../state/task-store.js" */

/** @typedef {"ws" | "sse" | "poll"} Transport from the best one down */
/** @typedef {"blocked" | "held_back" | "too_many" | "earlier"} Why the better transports were left; "earlier": in this tab, before it was loaded again */
/** @typedef {EventTarget & {send: (text: string) => void, close: (code?: number, reason?: string) => void}} Channel the surface of a WebSocket, as far as it is used */
/** @typedef {(since: number | null) => Channel} Make since: Unix seconds, when the page knew everything */

/** @type {readonly Transport[]} */
const TRANSPORTS = ["ws", "sse", "poll"];

/** Until `hello` has to be there. */
const PATIENCE_MS = { ws: 10_000, sse: 8_000, poll: 10_000 };

/** Tries without `hello` before a transport counts as blocked. */
const TRIES = 2;
/** Where it had worked on this page, a server that restarts is the more likely reason. */
const TRIES_AFTER_SUCCESS = 4;

const NAME = "studio.transport";

/**
 * @param {object} parts
 * @param {Make} parts.ws
 * @param {Record<"sse" | "poll", () => Promise<Make>> & {upgrade: () => Promise<typeof TransportUpgrade>}} parts.load how channels of the others are made, and the way back
 * @param {() => Promise<boolean>} parts.isReachable whether the server answers at all
 * @param {Pick<Storage, "getItem" | "setItem" | "removeItem"> | null} parts.store of this tab
 * @param {{setTimeout: (run: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} parts.clock
 */
export function createTransports({ ws, load, isReachable, store, clock }) {
  /** @type {Partial<Record<Transport, Make>>} */
  const makers = { ws };
  /** @type {Transport} */
  let transport = "ws";
  /** @type {Why | null} */
  let why = null;
  let fails = 0;
  /** Streams in a row that were cut off after their `hello`. */
  let silences = 0;
  /** On this transport, since the page took it. */
  let hasWorked = false;
  /** The connection that is open, or was the last one, had its `hello`. */
  let saidHello = false;
  /** Loaded with the first channel that is not the best. @type {TransportUpgrade | null} */
  let upgrade = null;

  /** Begin on the transport that carried this tab before it was loaded again. */
  async function prepare() {
    const kept = TRANSPORTS.find((transport) => transport === store?.getItem(NAME));
    if (kept && (await learn([kept]))) step(kept, "earlier");
  }

  /** @returns {Channel} */
  function open() {
    saidHello = false;
    return channelOf(transport);
  }

  /** The channel that was opened said hello. @param {number} serverTime Unix seconds */
  function reached(serverTime) {
    transports.since = serverTime;
    saidHello = true;
    hasWorked = true;
    fails = 0;
    try {
      if (transport === "ws") store?.removeItem(NAME);
      else store?.setItem(NAME, transport);
    } catch {
      // storage is full or forbidden: the next load begins at the top
    }
    upgrade?.later(better());
  }

  /** @param {number} code with which the channel that was opened ended */
  function lost(code) {
    stop();
    if (transport === "sse" && code === CLOSE.FLOODING) {
      saidHello = false;
      fallBack("too_many");
      return;
    }
    const wasSilent = transport === "sse" && code === CLOSE_SILENT;
    silences = wasSilent ? silences + 1 : 0;
    if (CLOSES.has(code)) fails = 0; // whatever the server says, its words came through
    else if (wasSilent && (!saidHello || silences >= TRIES)) fails = TRIES_AFTER_SUCCESS;
    else if (!saidHello) fails += 1;
    saidHello = false;
    if (fails >= (hasWorked ? TRIES_AFTER_SUCCESS : TRIES)) {
      fallBack(transport === "ws" ? "blocked" : "held_back");
    }
  }

  /** Look for nothing better now. */
  function stop() {
    upgrade?.stop();
  }

  /** Where nothing gets through no other way would help: only a server that answers is worth a step.
   *
   * @param {Why} reason
   */
  async function fallBack(reason) {
    const from = transport;
    const lower = TRANSPORTS[TRANSPORTS.indexOf(from) + 1];
    if (!lower) return;
    const there = (await isReachable()) && (await learn([lower]));
    if (!there) fails = 0; // it says nothing about this transport that nothing gets through
    if (!there || transport !== from || saidHello) return;
    step(lower, reason);
    transports.onFallback();
  }

  /**
   * @param {Transport} next
   * @param {Why | null} reason
   */
  function step(next, reason) {
    transport = next;
    why = next === "ws" ? null : reason;
    fails = 0;
    silences = 0;
    hasWorked = false;
  }

  function better() {
    return TRANSPORTS.slice(0, TRANSPORTS.indexOf(transport));
  }

  /** Fetch what makes channels of these transports; false if that does not get through.
   *
   * @param {Transport[]} transports
   */
  async function learn(transports) {
    try {
      for (const transport of transports) if (transport !== "ws") makers[transport] ??= await load[transport]();
      upgrade ??= createUpgrade(await load.upgrade());
      return true;
    } catch {
      return false;
    }
  }

  /** @param {typeof TransportUpgrade} Way */
  function createUpgrade(Way) {
    return new Way({
      learn,
      open: channelOf,
      patience: PATIENCE_MS,
      arrived: (better, channel, hello) => {
        step(better, why);
        transports.onUpgrade(channel, hello);
      },
      clock,
    });
  }

  /** @param {Transport} transport */
  function channelOf(transport) {
    const make = makers[transport];
    if (!make) throw new Error(`no channel is made for ${transport}`);
    return make(transports.since);
  }

  const transports = {
    /** Server time of the last message, in Unix seconds. @type {number | null} */
    since: null,
    /** Called after a fallback to a lower transport: a pending retry can start at once. */
    onFallback: () => {},
    /** A better channel said hello; its next words come in the next turn. @type {(channel: Channel, hello: string) => void} */
    onUpgrade: () => {},
    get transport() {
      return transport;
    },
    get why() {
      return why;
    },
    get patienceMs() {
      return PATIENCE_MS[transport];
    },
    prepare, open, reached, lost, stop,
  };
  return transports;
}

/** @typedef {ReturnType<typeof createTransports>} Transports */

/** @type {Set<number>} */
const CLOSES = new Set(Object.values(CLOSE));

const REACHABLE_WITHIN_MS = 5_000;

export const clock = {
  now: () => Date.now(),
  setTimeout: (/** @type {() => void} */ run, /** @type {number} */ ms) => setTimeout(run, ms),
  clearTimeout: (/** @type {any} */ timer) => clearTimeout(timer),
};

/** @param {{socketPath: string, taskStore: TaskStore, store: Storage | null, since?: number | null}} parts since: the server's time when the page was made */
export function browserTransports({ socketPath, taskStore, store, since = null }) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const http = {
    clock,
    post: async (/** @type {unknown} */ message) => (await import("./http.js")).send(at("/messages/"), message),
    cursors: () => Object.fromEntries(taskStore.unfinished().map((taskId) => [taskId, taskStore.cursor(taskId)])),
  };
  const transports = createTransports({
    ws: () => new WebSocket(`${scheme}://${location.host}${socketPath}`),
    load: {
      upgrade: async () => (await import("./transport-upgrade.js")).TransportUpgrade,
      sse: async () => {
        const { SseChannel } = await import("./sse.js");
        return (since) => new SseChannel({ ...http, since, listen: (url) => new EventSource(url) });
      },
      poll: async () => {
        const [{ PollChannel }, { getJson: get }] = await Promise.all([import("./poll.js"), import("./http.js")]);
        return (since) => new PollChannel({ ...http, since, get, isHidden: () => document.hidden });
      },
    },
    isReachable: () =>
      fetch(at("/healthz"), { cache: "no-store", signal: AbortSignal.timeout(REACHABLE_WITHIN_MS) }).then(({ ok }) => ok, () => false),
    store,
    clock,
  });
  transports.since = since;
  return transports;
}

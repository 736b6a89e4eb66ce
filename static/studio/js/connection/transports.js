// @ts-check
/** Which transport leads to the server: a WebSocket, an event stream where that is blocked, or asking again and again. */

import { at } from "../lib/base.js";
import { CLOSE, CLOSE_SILENT } from "./protocol.js";

/** @import {Climb} from "./transport-upgrade.js" */
/** @import {Ledger} from "../state/task-store.js" */

/** @typedef {"ws" | "sse" | "poll"} Rung from the best one down */
/** @typedef {"blocked" | "held_back" | "too_many" | "earlier"} Why the better rungs were left; "earlier": in this tab, before it was loaded again */
/** @typedef {EventTarget & {send: (text: string) => void, close: (code?: number, reason?: string) => void}} Line the surface of a WebSocket, as far as it is used */
/** @typedef {(since: number | null) => Line} Make since: Unix seconds, when the page knew everything */

/** @type {readonly Rung[]} */
const RUNGS = ["ws", "sse", "poll"];

/** Until `hello` has to be there. */
const PATIENCE_MS = { ws: 10_000, sse: 8_000, poll: 10_000 };

/** Tries without `hello` before a rung counts as blocked. */
const TRIES = 2;
/** Where it had worked on this page, a server that restarts is the more likely reason. */
const TRIES_AFTER_SUCCESS = 4;

const NAME = "studio.rung";

/**
 * @param {object} parts
 * @param {Make} parts.ws
 * @param {Record<"sse" | "poll", () => Promise<Make>> & {climb: () => Promise<typeof Climb>}} parts.load how lines of the others are made, and the way back
 * @param {() => Promise<boolean>} parts.isReachable whether the server answers at all
 * @param {Pick<Storage, "getItem" | "setItem" | "removeItem"> | null} parts.store of this tab
 * @param {{setTimeout: (run: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} parts.clock
 */
export function createLadder({ ws, load, isReachable, store, clock }) {
  /** @type {Partial<Record<Rung, Make>>} */
  const makers = { ws };
  /** @type {Rung} */
  let rung = "ws";
  /** @type {Why | null} */
  let why = null;
  let fails = 0;
  /** Streams in a row that were cut off after their `hello`. */
  let silences = 0;
  /** On this rung, since the page took it. */
  let hasWorked = false;
  /** The connection that is open, or was the last one, had its `hello`. */
  let saidHello = false;
  /** Loaded with the first line that is not the best. @type {Climb | null} */
  let climb = null;

  /** Begin on the rung that carried this tab before it was loaded again. */
  async function prepare() {
    const kept = RUNGS.find((rung) => rung === store?.getItem(NAME));
    if (kept && (await learn([kept]))) step(kept, "earlier");
  }

  /** @returns {Line} */
  function open() {
    saidHello = false;
    return lineOf(rung);
  }

  /** The line that was opened said hello. @param {number} serverTime Unix seconds */
  function reached(serverTime) {
    ladder.since = serverTime;
    saidHello = true;
    hasWorked = true;
    fails = 0;
    try {
      if (rung === "ws") store?.removeItem(NAME);
      else store?.setItem(NAME, rung);
    } catch {
      // storage is full or forbidden: the next load begins at the top
    }
    climb?.later(better());
  }

  /** @param {number} code with which the line that was opened ended */
  function lost(code) {
    stop();
    if (rung === "sse" && code === CLOSE.FLOODING) {
      saidHello = false;
      descend("too_many");
      return;
    }
    const wasSilent = rung === "sse" && code === CLOSE_SILENT;
    silences = wasSilent ? silences + 1 : 0;
    if (CLOSES.has(code)) fails = 0; // whatever the server says, its words came through
    else if (wasSilent && (!saidHello || silences >= TRIES)) fails = TRIES_AFTER_SUCCESS;
    else if (!saidHello) fails += 1;
    saidHello = false;
    if (fails >= (hasWorked ? TRIES_AFTER_SUCCESS : TRIES)) {
      descend(rung === "ws" ? "blocked" : "held_back");
    }
  }

  /** Look for nothing better now. */
  function stop() {
    climb?.stop();
  }

  /** Where nothing gets through no other way would help: only a server that answers is worth a step.
   *
   * @param {Why} reason
   */
  async function descend(reason) {
    const from = rung;
    const lower = RUNGS[RUNGS.indexOf(from) + 1];
    if (!lower) return;
    const there = (await isReachable()) && (await learn([lower]));
    if (!there) fails = 0; // it says nothing about this rung that nothing gets through
    if (!there || rung !== from || saidHello) return;
    step(lower, reason);
    ladder.onDescent();
  }

  /**
   * @param {Rung} next
   * @param {Why | null} reason
   */
  function step(next, reason) {
    rung = next;
    why = next === "ws" ? null : reason;
    fails = 0;
    silences = 0;
    hasWorked = false;
  }

  function better() {
    return RUNGS.slice(0, RUNGS.indexOf(rung));
  }

  /** Fetch what makes lines of these rungs; false if that does not get through.
   *
   * @param {Rung[]} rungs
   */
  async function learn(rungs) {
    try {
      for (const rung of rungs) if (rung !== "ws") makers[rung] ??= await load[rung]();
      climb ??= wayUp(await load.climb());
      return true;
    } catch {
      return false;
    }
  }

  /** @param {typeof Climb} Way */
  function wayUp(Way) {
    return new Way({
      learn,
      open: lineOf,
      patience: PATIENCE_MS,
      arrived: (better, line, hello) => {
        step(better, why);
        ladder.onClimb(line, hello);
      },
      clock,
    });
  }

  /** @param {Rung} rung */
  function lineOf(rung) {
    const make = makers[rung];
    if (!make) throw new Error(`no line is made for ${rung}`);
    return make(ladder.since);
  }

  const ladder = {
    /** The server's clock when something was last heard of it, in Unix seconds. @type {number | null} */
    since: null,
    /** A lower rung was taken: who waits for a retry need not wait. */
    onDescent: () => {},
    /** A better line said hello; its next words come in the next turn. @type {(line: Line, hello: string) => void} */
    onClimb: () => {},
    get rung() {
      return rung;
    },
    get why() {
      return why;
    },
    get patienceMs() {
      return PATIENCE_MS[rung];
    },
    prepare, open, reached, lost, stop,
  };
  return ladder;
}

/** @typedef {ReturnType<typeof createLadder>} Ladder */

/** @type {Set<number>} */
const CLOSES = new Set(Object.values(CLOSE));

const REACHABLE_WITHIN_MS = 5_000;

export const clock = {
  now: () => Date.now(),
  setTimeout: (/** @type {() => void} */ run, /** @type {number} */ ms) => setTimeout(run, ms),
  clearTimeout: (/** @type {any} */ timer) => clearTimeout(timer),
};

/** @param {{socketPath: string, ledger: Ledger, store: Storage | null, since?: number | null}} parts since: the server's time when the page was made */
export function browserLadder({ socketPath, ledger, store, since = null }) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const http = {
    clock,
    post: async (/** @type {unknown} */ message) => (await import("./http.js")).send(at("/messages/"), message),
    cursors: () => Object.fromEntries(ledger.unfinished().map((taskId) => [taskId, ledger.cursor(taskId)])),
  };
  const ladder = createLadder({
    ws: () => new WebSocket(`${scheme}://${location.host}${socketPath}`),
    load: {
      climb: async () => (await import("./transport-upgrade.js")).Climb,
      sse: async () => {
        const { SseLine } = await import("./sse.js");
        return (since) => new SseLine({ ...http, since, listen: (url) => new EventSource(url) });
      },
      poll: async () => {
        const [{ PollLine }, { getJson: get }] = await Promise.all([import("./poll.js"), import("./http.js")]);
        return (since) => new PollLine({ ...http, since, get, isHidden: () => document.hidden });
      },
    },
    isReachable: () =>
      fetch(at("/healthz"), { cache: "no-store", signal: AbortSignal.timeout(REACHABLE_WITHIN_MS) }).then(({ ok }) => ok, () => false),
    store,
    clock,
  });
  ladder.since = since;
  return ladder;
}

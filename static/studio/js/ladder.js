// @ts-check
/** Which way leads to the server: a WebSocket, an event stream where that is blocked, or asking again and again. */

import { CLOSE, CLOSE_SILENT } from "./protocol.js";
import { Timers } from "./timers.js";

/** @typedef {"ws" | "sse" | "poll"} Rung from the best one down */
/** @typedef {"blocked" | "held_back" | "too_many" | "earlier"} Why the better rungs were left; "earlier": in this tab, before it was loaded again */
/** @typedef {EventTarget & {send: (text: string) => void, close: (code?: number, reason?: string) => void}} Line the surface of a WebSocket, as far as it is used */
/** @typedef {(since: number | null) => Line} Make since: Unix seconds, when the page knew everything */

/** @type {readonly Rung[]} */
export const RUNGS = ["ws", "sse", "poll"];

/** Until `hello` has to be there. */
export const PATIENCE_MS = Object.freeze({ ws: 10_000, sse: 8_000, poll: 10_000 });

/** Tries without `hello` before a rung counts as blocked. */
export const TRIES = 2;
/** Where it had worked on this page, a server that restarts is the more likely reason. */
export const TRIES_AFTER_SUCCESS = 4;

export const CLIMB_FIRST_MS = 60_000;
export const CLIMB_MOST_MS = 600_000;

const NAME = "studio.rung";

export class Ladder {
  #load;
  #isReachable;
  #store;
  #timers;
  /** @type {Partial<Record<Rung, Make>>} */
  #make = {};
  /** @type {Rung} */
  #rung = "ws";
  /** @type {Why | null} */
  #why = null;
  #fails = 0;
  /** Streams in a row that were cut off after their `hello`. */
  #silences = 0;
  /** On this rung, since the page took it. */
  #hasWorked = false;
  /** The connection that is open, or was the last one, had its `hello`. */
  #saidHello = false;
  #climbAfter = CLIMB_FIRST_MS;
  /** @type {AbortController | null} */
  #probing = null;

  /** The server's clock when something was last heard of it, in Unix seconds. @type {number | null} */
  since = null;
  /** A lower rung was taken: who waits for a retry need not wait. */
  onDescent = () => {};
  /** A better line said hello; its next words come in the next turn. @type {(line: Line, hello: string) => void} */
  onClimb = () => {};

  /**
   * @param {object} parts
   * @param {Make} parts.ws
   * @param {Record<"sse" | "poll", () => Promise<Make>>} parts.load how lines of the others are made
   * @param {() => Promise<boolean>} parts.isReachable whether the server answers at all
   * @param {Pick<Storage, "getItem" | "setItem" | "removeItem"> | null} parts.store of this tab
   * @param {{setTimeout: (run: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} parts.clock
   */
  constructor({ ws, load, isReachable, store, clock }) {
    this.#make.ws = ws;
    this.#load = load;
    this.#isReachable = isReachable;
    this.#store = store;
    this.#timers = new Timers(clock);
  }

  get rung() {
    return this.#rung;
  }

  get why() {
    return this.#why;
  }

  get patienceMs() {
    return PATIENCE_MS[this.#rung];
  }

  /** Begin on the rung that carried this tab before it was loaded again. */
  async prepare() {
    const kept = RUNGS.find((rung) => rung === this.#store?.getItem(NAME));
    if (kept && (await this.#learn([kept]))) this.#step(kept, "earlier");
  }

  /** @returns {Line} */
  open() {
    this.#saidHello = false;
    const make = this.#make[this.#rung];
    if (!make) throw new Error(`no line is made for ${this.#rung}`);
    return make(this.since);
  }

  /** The line that was opened said hello. @param {number} serverTime Unix seconds */
  reached(serverTime) {
    this.since = serverTime;
    this.#saidHello = true;
    this.#hasWorked = true;
    this.#fails = 0;
    try {
      if (this.#rung === "ws") this.#store?.removeItem(NAME);
      else this.#store?.setItem(NAME, this.#rung);
    } catch {
      // storage is full or forbidden: the next load begins at the top
    }
    this.#climbLater();
  }

  /** @param {number} code with which the line that was opened ended */
  lost(code) {
    this.stop();
    if (this.#rung === "sse" && code === CLOSE.FLOODING) {
      this.#saidHello = false;
      this.#descend("too_many");
      return;
    }
    const wasSilent = this.#rung === "sse" && code === CLOSE_SILENT;
    this.#silences = wasSilent ? this.#silences + 1 : 0;
    if (CLOSES.has(code)) this.#fails = 0; // whatever the server says, its words came through
    else if (wasSilent && (!this.#saidHello || this.#silences >= TRIES)) this.#fails = TRIES_AFTER_SUCCESS;
    else if (!this.#saidHello) this.#fails += 1;
    this.#saidHello = false;
    if (this.#fails >= (this.#hasWorked ? TRIES_AFTER_SUCCESS : TRIES)) {
      this.#descend(this.#rung === "ws" ? "blocked" : "held_back");
    }
  }

  /** Look for nothing better now. */
  stop() {
    this.#timers.clearAll();
    this.#probing?.abort();
  }

  /** Where nothing gets through no other way would help: only a server that answers is worth a step.
   *
   * @param {Why} why
   */
  async #descend(why) {
    const from = this.#rung;
    const lower = RUNGS[RUNGS.indexOf(from) + 1];
    if (!lower) return;
    const there = (await this.#isReachable()) && (await this.#learn([lower]));
    if (!there) this.#fails = 0; // it says nothing about this rung that nothing gets through
    if (!there || this.#rung !== from || this.#saidHello) return;
    this.#step(lower, why);
    this.onDescent();
  }

  /**
   * @param {Rung} rung
   * @param {Why | null} why
   */
  #step(rung, why) {
    this.#rung = rung;
    this.#why = rung === "ws" ? null : why;
    this.#fails = 0;
    this.#silences = 0;
    this.#hasWorked = false;
  }

  /** Fetch what makes lines of these rungs; false if that does not get through.
   *
   * @param {Rung[]} rungs
   */
  async #learn(rungs) {
    try {
      for (const rung of rungs) if (rung !== "ws") this.#make[rung] ??= await this.#load[rung]();
      return true;
    } catch {
      return false;
    }
  }

  // --- up again -------------------------------------------------------------------------------

  #climbLater() {
    const better = RUNGS.slice(0, RUNGS.indexOf(this.#rung));
    if (better.length === 0) {
      this.#climbAfter = CLIMB_FIRST_MS;
      return;
    }
    this.#timers.set("climb", this.#climbAfter, async () => {
      this.#climbAfter = Math.min(CLIMB_MOST_MS, this.#climbAfter * 2);
      if (await this.#learn(better)) this.#probe(better);
      else this.#climbLater();
    });
  }

  /** Open a line of each beside the one that works, the best first, until one says hello.
   *
   * @param {Rung[]} better
   */
  #probe([rung, ...others]) {
    const make = this.#make[rung];
    if (!make) {
      this.#climbLater();
      return;
    }
    const line = make(this.since);
    const probing = (this.#probing = new AbortController());
    const { signal } = probing;
    const drop = () => line.close(1000, "");
    signal.addEventListener("abort", drop);
    const next = () => {
      this.stop();
      this.#probe(others);
    };
    this.#timers.set("probe", PATIENCE_MS[rung], next);
    line.addEventListener("close", next, { signal });
    line.addEventListener("message", (/** @type {any} */ { data }) => {
      signal.removeEventListener("abort", drop);
      this.stop();
      this.#step(rung, this.#why);
      this.onClimb(line, data);
    }, { signal });
  }
}

/** @type {Set<number>} */
const CLOSES = new Set(Object.values(CLOSE));

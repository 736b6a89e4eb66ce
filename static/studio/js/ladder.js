// @ts-check
/** Which way leads to the server: a WebSocket, an event stream where that is blocked, or asking again and again. */

import { CLOSE, CLOSE_SILENT } from "./protocol.js";

/** @typedef {"ws" | "sse" | "poll"} Rung from the best one down */
/** @typedef {"blocked" | "held_back" | "too_many" | "earlier"} Why the better rungs were left; "earlier": in this tab, before it was loaded again */
/** @typedef {EventTarget & {send: (text: string) => void, close: (code?: number, reason?: string) => void}} Line the surface of a WebSocket, as far as it is used */
/** @import {Climb} from "./climb.js" */
/** @typedef {(since: number | null) => Line} Make since: Unix seconds, when the page knew everything */

/** @type {readonly Rung[]} */
export const RUNGS = ["ws", "sse", "poll"];

/** Until `hello` has to be there. */
export const PATIENCE_MS = Object.freeze({ ws: 10_000, sse: 8_000, poll: 10_000 });

/** Tries without `hello` before a rung counts as blocked. */
export const TRIES = 2;
/** Where it had worked on this page, a server that restarts is the more likely reason. */
export const TRIES_AFTER_SUCCESS = 4;

const NAME = "studio.rung";

export class Ladder {
  #load;
  #isReachable;
  #store;
  #clock;
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
  /** Loaded with the first line that is not the best. @type {Climb | null} */
  #climb = null;

  /** The server's clock when something was last heard of it, in Unix seconds. @type {number | null} */
  since = null;
  /** A lower rung was taken: who waits for a retry need not wait. */
  onDescent = () => {};
  /** A better line said hello; its next words come in the next turn. @type {(line: Line, hello: string) => void} */
  onClimb = () => {};

  /**
   * @param {object} parts
   * @param {Make} parts.ws
   * @param {Record<"sse" | "poll", () => Promise<Make>> & {climb: () => Promise<typeof Climb>}} parts.load how lines of the others are made, and the way back
   * @param {() => Promise<boolean>} parts.isReachable whether the server answers at all
   * @param {Pick<Storage, "getItem" | "setItem" | "removeItem"> | null} parts.store of this tab
   * @param {{setTimeout: (run: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} parts.clock
   */
  constructor({ ws, load, isReachable, store, clock }) {
    this.#make.ws = ws;
    this.#load = load;
    this.#isReachable = isReachable;
    this.#store = store;
    this.#clock = clock;
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
    return this.#lineOf(this.#rung);
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
    this.#climb?.later(this.#better());
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
    this.#climb?.stop();
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

  #better() {
    return RUNGS.slice(0, RUNGS.indexOf(this.#rung));
  }

  /** Fetch what makes lines of these rungs; false if that does not get through.
   *
   * @param {Rung[]} rungs
   */
  async #learn(rungs) {
    try {
      for (const rung of rungs) if (rung !== "ws") this.#make[rung] ??= await this.#load[rung]();
      this.#climb ??= this.#wayUp(await this.#load.climb());
      return true;
    } catch {
      return false;
    }
  }

  /** @param {typeof Climb} Way */
  #wayUp(Way) {
    return new Way({
      learn: (rungs) => this.#learn(rungs),
      open: (rung) => this.#lineOf(rung),
      arrived: (rung, line, hello) => {
        this.#step(rung, this.#why);
        this.onClimb(line, hello);
      },
      clock: this.#clock,
    });
  }

  /** @param {Rung} rung */
  #lineOf(rung) {
    const make = this.#make[rung];
    if (!make) throw new Error(`no line is made for ${rung}`);
    return make(this.since);
  }
}

/** @type {Set<number>} */
const CLOSES = new Set(Object.values(CLOSE));

// @ts-check
/** Sends no faster than the server allows: a page with two hundred tasks is not a flood. */

/** Under the server's 20 messages a second and burst of 60. */
export const SEND_BURST = 40;
export const SEND_EVERY_MS = 70;

/** @import {Timers} from "./timers.js" */

/** @template T */
export class Pacer {
  /** @type {T[]} */
  #waiting = [];
  #allowance = SEND_BURST;
  #countedAt = 0;
  #now;
  #timers;
  #send;

  /**
   * @param {{now: () => number, timers: Timers, send: (message: T) => void}} parts
   */
  constructor({ now, timers, send }) {
    this.#now = now;
    this.#timers = timers;
    this.#send = send;
  }

  /** A new connection owes nothing to the one before it. */
  reset() {
    this.#waiting = [];
    this.#allowance = SEND_BURST;
    this.#countedAt = this.#now();
  }

  /** @param {T} message */
  send(message) {
    this.#waiting.push(message);
    this.#pump();
  }

  /** What says whether anybody is there must not wait behind everything else. @param {T} message */
  sendFirst(message) {
    this.#waiting.unshift(message);
    this.#pump();
  }

  #pump() {
    const earned = Math.floor((this.#now() - this.#countedAt) / SEND_EVERY_MS);
    this.#allowance = Math.min(SEND_BURST, this.#allowance + earned);
    this.#countedAt += earned * SEND_EVERY_MS;
    const now = this.#waiting.splice(0, this.#allowance);
    this.#allowance -= now.length;
    for (const message of now) this.#send(message);
    if (this.#waiting.length > 0) this.#timers.set("pace", SEND_EVERY_MS, () => this.#pump());
  }
}

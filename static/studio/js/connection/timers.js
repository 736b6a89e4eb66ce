// @ts-check
/** Timers of a connection, and a pacer that sends no faster than the server allows. */

/** @import {ClientMessage} from "./protocol.js" */
/** @import {Clock} from "./transport-choice.js" */

/** Under the server's 20 messages a second and burst of 60. */
const SEND_BURST = 40;
const SEND_EVERY_MS = 70;

/**
 * One timer per purpose: setting it again replaces it.
 *
 * @param {Pick<Clock, "setTimeout" | "clearTimeout">} clock
 */
export function createTimers(clock) {
  /** @type {Map<string, unknown>} */
  const running = new Map();

  /**
   * @param {string} purpose
   * @param {number} ms
   * @param {() => void} run
   */
  function set(purpose, ms, run) {
    clear(purpose);
    const timer = clock.setTimeout(() => {
      running.delete(purpose);
      run();
    }, ms);
    running.set(purpose, timer);
  }

  /** @param {string} purpose */
  function clear(purpose) {
    if (running.has(purpose)) clock.clearTimeout(running.get(purpose));
    running.delete(purpose);
  }

  /** @param {string} purpose */
  const has = (purpose) => running.has(purpose);

  function clearAll() {
    for (const purpose of [...running.keys()]) clear(purpose);
  }

  return { set, clear, has, clearAll };
}

/** @typedef {ReturnType<typeof createTimers>} Timers */

/**
 * Delays messages, because a page with two hundred tasks sends more than the server allows at once.
 *
 * @param {{now: () => number, timers: Timers, send: (message: ClientMessage) => void}} parts
 */
export function createPacer({ now, timers, send: sendNow }) {
  /** @type {ClientMessage[]} */
  let waiting = [];
  let allowance = SEND_BURST;
  let countedAt = 0;

  /** Reset for a new connection: drop waiting messages and restore the burst. */
  function reset() {
    waiting = [];
    allowance = SEND_BURST;
    countedAt = now();
  }

  /** @param {ClientMessage} message */
  function send(message) {
    waiting.push(message);
    pump();
  }

  /** Send before all waiting messages: a ping tests the connection and must not be delayed. @param {ClientMessage} message */
  function sendFirst(message) {
    waiting.unshift(message);
    pump();
  }

  function pump() {
    const earned = Math.floor((now() - countedAt) / SEND_EVERY_MS);
    allowance = Math.min(SEND_BURST, allowance + earned);
    countedAt += earned * SEND_EVERY_MS;
    const due = waiting.splice(0, allowance);
    allowance -= due.length;
    for (const message of due) sendNow(message);
    if (waiting.length > 0) timers.set("pace", SEND_EVERY_MS, pump);
  }

  return { reset, send, sendFirst };
}

/** @typedef {ReturnType<typeof createPacer>} Pacer */

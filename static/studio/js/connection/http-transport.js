// @ts-check
/** A channel over plain HTTP: what is said goes out as requests; subclasses bring what the server tells by itself. */

import { CLOSE } from "./protocol.js";

/** @import {ClientMessage} from "./protocol.js" */

const LOST = 1006;

/** @typedef {(message: ClientMessage) => Promise<{frames: any[]}>} Post rejects with an HttpRefusal */

export class HttpChannel extends EventTarget {
  #post;
  #sending = Promise.resolve();
  #closed = false;
  /** Tasks whose `live` will come without being asked for. @type {Set<string>} */
  #coming = new Set();

  /** @param {Post} post */
  constructor(post) {
    super();
    this.#post = post;
  }

  get isClosed() {
    return this.#closed;
  }

  /** @param {string} text One message after the other, as on a socket. */
  send(text) {
    /** @type {ClientMessage} */
    const message = JSON.parse(text);
    if (message.action === "detach") return; // nothing is held for us
    if (message.action === "attach" && this.#coming.has(message.task_id ?? "")) return;
    this.#sending = this.#sending.then(() => this.#say(message));
  }

  /** @param {ClientMessage} message */
  async #say(message) {
    if (this.#closed) return;
    try {
      for (const frame of (await this.#post(message)).frames) this.handle(frame);
      this.answered();
    } catch (refusal) {
      this.fail(refusal);
    }
  }

  /**
   * @param {any} frame
   * @param {string} [text] the same, encoded
   */
  handle(frame, text = JSON.stringify(frame)) {
    if (this.#closed) return;
    if (frame.type === "hello") for (const each of frame.active) this.#coming.add(each.task_id);
    if (frame.type === "task") this.#coming.add(frame.task_id);
    if (frame.type === "live") this.#coming.delete(frame.task_id);
    this.dispatchEvent(new MessageEvent("message", { data: text }));
  }

  /** A message has its answer, and the page knows it. */
  answered() {}

  /** @param {any} refusal what a request was rejected with */
  fail(refusal) {
    this.end(codeOf(refusal));
  }

  /** @param {number} code */
  end(code) {
    if (this.#closed) return;
    this.close();
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }

  close() {
    this.#closed = true;
  }
}

/** @param {any} refusal */
function codeOf({ status, code }) {
  if (status === 403) return code === "account_disabled" ? CLOSE.REFUSED : CLOSE.NOT_SIGNED_IN;
  return status === 429 ? CLOSE.FLOODING : LOST;
}

/**
 * The URL with the page's cursors; of too many tasks those with the longest logs to send again.
 *
 * @param {string} path
 * @param {Record<string, number>} cursors
 * @param {number} mostNamed tasks in one URL
 * @param {number | null} since Unix seconds: tasks submitted after that are sent even if they have ended
 */
export function withCursors(path, cursors, mostNamed, since) {
  const longest = Object.entries(cursors).sort(([, a], [, b]) => b - a);
  const url = `${path}?cursors=${encodeURIComponent(JSON.stringify(Object.fromEntries(longest.slice(0, mostNamed))))}`;
  return since === null ? url : `${url}&since=${since}`;
}

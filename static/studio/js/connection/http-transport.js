// @ts-check
/** Base of channels over HTTP: messages are sent as requests; subclasses receive the frames of the server. */

import { CLOSE } from "./protocol.js";

/** @import {ClientMessage} from "./protocol.js" */

const LOST = 1006;

/** @typedef {(message: ClientMessage) => Promise<{frames: any[]}>} Post rejects with an HttpRefusal */

export class HttpChannel extends EventTarget {
  #post;
  #queue = Promise.resolve();
  #closed = false;
  /** Tasks that the server replays without an attach. @type {Set<string>} */
  #announced = new Set();

  /** @param {Post} post */
  constructor(post) {
    super();
    this.#post = post;
  }

  get isClosed() {
    return this.#closed;
  }

  /** Send one message after the other, as on a socket. @param {string} text */
  send(text) {
    /** @type {ClientMessage} */
    const message = JSON.parse(text);
    if (message.action === "detach") return; // the server keeps nothing to release
    if (message.action === "attach" && this.#announced.has(message.task_id ?? "")) return;
    this.#queue = this.#queue.then(() => this.#sendNow(message));
  }

  /** @param {ClientMessage} message */
  async #sendNow(message) {
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
    if (frame.type === "hello") for (const each of frame.active) this.#announced.add(each.task_id);
    if (frame.type === "task") this.#announced.add(frame.task_id);
    if (frame.type === "live") this.#announced.delete(frame.task_id);
    this.dispatchEvent(new MessageEvent("message", { data: text }));
  }

  /** Called when a message was answered. */
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

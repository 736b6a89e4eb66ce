// @ts-check
/** What was asked of the server and not answered yet; outlives a reload of the tab. */

/** @import {ClientMessage} from "./protocol.js" */

/** @typedef {ClientMessage & {request_key: string}} KeyedMessage */
/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} TextStore */

export class Outbox {
  /** @type {Map<string, KeyedMessage>} */
  #messages = new Map();
  #store;
  #name;

  /**
   * @param {TextStore | null} store null: kept in memory alone
   * @param {string} owner another person's messages must never go out under this name
   */
  constructor(store, owner) {
    this.#store = store;
    this.#name = `studio.outbox.${owner}`;
    for (const message of this.#read()) this.#messages.set(message.request_key, message);
  }

  /** Oldest first. */
  all() {
    return [...this.#messages.values()];
  }

  /** @param {string} requestKey */
  get(requestKey) {
    return this.#messages.get(requestKey) ?? null;
  }

  /** @param {KeyedMessage} message */
  put(message) {
    this.#messages.set(message.request_key, message);
    this.#write();
  }

  /**
   * @param {string | null | undefined} requestKey
   * @returns {KeyedMessage | null} the message that was answered
   */
  settle(requestKey) {
    const message = requestKey ? this.get(requestKey) : null;
    if (message) {
      this.#messages.delete(message.request_key);
      this.#write();
    }
    return message;
  }

  /**
   * Settle what is known to be answered without its key: a cancel by the task's own end.
   *
   * @param {string} action
   * @param {string} taskId
   */
  settleAbout(action, taskId) {
    for (const message of this.all()) {
      if (message.action === action && message.task_id === taskId) this.settle(message.request_key);
    }
  }

  /** @returns {KeyedMessage[]} */
  #read() {
    try {
      const kept = JSON.parse(this.#store?.getItem(this.#name) ?? "[]");
      return Array.isArray(kept) ? kept.filter((m) => typeof m?.request_key === "string") : [];
    } catch {
      return []; // unreadable storage is an empty outbox; the server still knows what it accepted
    }
  }

  #write() {
    try {
      if (this.#messages.size === 0) this.#store?.removeItem(this.#name);
      else this.#store?.setItem(this.#name, JSON.stringify(this.all()));
    } catch {
      // storage is full or forbidden: the messages stay in memory and are still re-sent
    }
  }
}

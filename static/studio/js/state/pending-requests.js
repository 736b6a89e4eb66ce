// @ts-check
/** What was asked of the server and not answered yet; outlives a reload of the tab. */

/** @import {ClientMessage} from "../connection/protocol.js" */

/** @typedef {ClientMessage & {request_key: string}} KeyedMessage */
/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} TextStore */

/**
 * @param {TextStore | null} store null: kept in memory alone
 * @param {string} owner another person's messages must never go out under this name
 */
export function createPendingRequests(store, owner) {
  /** @type {Map<string, KeyedMessage>} */
  const messages = new Map();
  const name = `studio.outbox.${owner}`;

  /** Oldest first. */
  function all() {
    return [...messages.values()];
  }

  /** @param {string} requestKey */
  function get(requestKey) {
    return messages.get(requestKey) ?? null;
  }

  /** @param {KeyedMessage} message */
  function put(message) {
    messages.set(message.request_key, message);
    write();
  }

  /**
   * @param {string | null | undefined} requestKey
   * @returns {KeyedMessage | null} the message that was answered
   */
  function settle(requestKey) {
    const message = requestKey ? get(requestKey) : null;
    if (message) {
      messages.delete(message.request_key);
      write();
    }
    return message;
  }

  /**
   * Settle what is known to be answered without its key: a cancel by the task's own end.
   *
   * @param {string} action
   * @param {string} taskId
   */
  function settleTask(action, taskId) {
    for (const message of all()) {
      if (message.action === action && message.task_id === taskId) settle(message.request_key);
    }
  }

  /** @returns {KeyedMessage[]} */
  function read() {
    try {
      const kept = JSON.parse(store?.getItem(name) ?? "[]");
      return Array.isArray(kept) ? kept.filter((m) => typeof m?.request_key === "string") : [];
    } catch {
      return []; // unreadable storage is an empty requests; the server still knows what it accepted
    }
  }

  function write() {
    try {
      if (messages.size === 0) store?.removeItem(name);
      else store?.setItem(name, JSON.stringify(all()));
    } catch {
      // storage is full or forbidden: the messages stay in memory and are still re-sent
    }
  }

  for (const message of read()) messages.set(message.request_key, message);

  return { all, get, put, settle, settleTask };
}

/** @typedef {ReturnType<typeof createPendingRequests>} PendingRequests */

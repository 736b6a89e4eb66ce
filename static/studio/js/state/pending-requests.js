// @ts-check
/** Requests that the server has not answered; kept over a reload of the tab. */

/** @import {ClientMessage} from "../connection/protocol.js" */

/** @typedef {ClientMessage & {request_key: string}} KeyedMessage */
/** @typedef {Pick<Storage, "getItem" | "setItem" | "removeItem">} TextStore */

/**
 * @param {TextStore | null} store null: only kept in memory
 * @param {string} owner the user whose messages they are
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

  /** Whether a request with the same content waits for its answer. @param {KeyedMessage} message */
  function hasSame(message) {
    const content = contentOf(message);
    return all().some((each) => contentOf(each) === content);
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
   * Settle requests that are answered without their key: a cancel by the end of its task.
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
      return []; // unreadable: start without requests; the server knows what it accepted
    }
  }

  function write() {
    try {
      if (messages.size === 0) store?.removeItem(name);
      else store?.setItem(name, JSON.stringify(all()));
    } catch {
      // storage is full or forbidden: they stay in memory
    }
  }

  for (const message of read()) messages.set(message.request_key, message);

  return { all, get, hasSame, put, settle, settleTask };
}

/** Everything but its key. @param {KeyedMessage} message */
export const contentOf = (message) => JSON.stringify({ ...message, request_key: "" });

/** @typedef {ReturnType<typeof createPendingRequests>} PendingRequests */

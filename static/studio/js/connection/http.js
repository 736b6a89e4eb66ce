// @ts-check
/** Requests that change something, signed with the page's form token. */

/** @import {ReachedLimit} from "./protocol.js" */

/** A short request outlives the page that sent it; browsers refuse to keep more than 64 KiB. */
const KEPT_LENGTH = 16_000;
const ANSWER_WITHIN_MS = 10_000;

/** The server refused, or did not respond (`code` "unavailable", `status` 0). */
export class HttpRefusal extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {ReachedLimit} [data]
   */
  constructor(status, code, message, data) {
    super(message);
    this.status = status;
    this.code = code;
    this.data = data;
  }
}

/**
 * @param {string} url
 * @returns {Promise<any>} the decoded answer; rejects with HttpRefusal
 */
export async function getJson(url) {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const response = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-store", signal }).catch(() => null);
  const answer = await response?.json().catch(() => ({}));
  if (!response?.ok) throw new HttpRefusal(response?.status ?? 0, answer?.code ?? "unavailable", "");
  return answer;
}

/**
 * @param {string} url
 * @param {unknown} body sent as JSON
 * @param {"POST" | "DELETE"} [method]
 * @returns {Promise<any>} the decoded answer; rejects with HttpRefusal
 */
export async function send(url, body, method = "POST") {
  const token = document.querySelector("[name='csrfmiddlewaretoken']");
  const headers = {
    "Content-Type": "application/json",
    Accept: "application/json",
    "X-CSRFToken": token instanceof HTMLInputElement ? token.value : "",
  };
  let response;
  try {
    const text = JSON.stringify(body);
    response = await fetch(url, { method, headers, body: text, keepalive: text.length < KEPT_LENGTH });
  } catch {
    throw new HttpRefusal(0, "unavailable", "");
  }
  const answer = await response.json().catch(() => ({}));
  // the answer to a message has frames, whatever its status says to programs
  if (!response.ok && !answer.frames) throw new HttpRefusal(response.status, answer.code ?? "unavailable", answer.message ?? "");
  return answer;
}

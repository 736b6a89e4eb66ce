// @ts-check
/** Requests of the review page. */

/** The server refused; `data` is its JSON. */
export class Refused extends Error {
  /** @param {number} status @param {Record<string, any>} data */
  constructor(status, data) {
    super(data.message ?? `status ${status}`);
    this.status = status;
    this.data = data;
  }
}

const token = () => /** @type {HTMLInputElement} */ (document.querySelector("#desk > [name='csrfmiddlewaretoken']")).value;

/**
 * Send, also if the page is left meanwhile.
 *
 * @param {string} path below the page
 * @param {unknown} body
 * @returns {Promise<any>}
 */
export async function post(path, body) {
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token() };
  return jsonOf(await fetch(path, { method: "POST", headers, body: JSON.stringify(body), keepalive: true }));
}

/** @param {string} path @param {AbortSignal} [signal] */
export const getJson = async (path, signal) => jsonOf(await fetch(path, { signal }));

/** @param {string} path */
export async function getPage(path) {
  const response = await fetch(path);
  if (response.redirected || !response.ok) throw new Refused(response.redirected ? 401 : response.status, {});
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/** Sent also while the page is being left. @param {string} path @param {Record<string, string>} fields */
export function release(path, fields) {
  const body = new FormData();
  body.set("csrfmiddlewaretoken", token());
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  navigator.sendBeacon(path, body);
}

/** A redirect leads to the sign-in page. @param {Response} response */
async function jsonOf(response) {
  const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
  if (response.redirected || !isJson) throw new Refused(response.redirected ? 401 : response.status, {});
  const data = await response.json();
  if (!response.ok) throw new Refused(response.status, data);
  return data;
}

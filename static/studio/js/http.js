// @ts-check
/** Requests that change something, signed with the page's form token. */

/** The server said no, or nobody answered (`code` "unavailable", `status` 0). */
export class HttpRefusal extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
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
    response = await fetch(url, { method, headers, body: JSON.stringify(body) });
  } catch {
    throw new HttpRefusal(0, "unavailable", "");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new HttpRefusal(response.status, answer.code ?? "unavailable", answer.message ?? "");
  return answer;
}

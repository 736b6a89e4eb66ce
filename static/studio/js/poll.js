// @ts-check
/** The line where nothing gets through but short answers: the page asks again and again. */

import { HttpRefusal } from "./http.js";
import { HttpLine, withCursors } from "./http-line.js";
import { Timers } from "./timers.js";

/** @import {Post} from "./http-line.js" */

const ANSWER_WITHIN_MS = 10_000;
export const EVERY_MS = 2_000;
export const IDLE_EVERY_MS = 10_000;
/** Nobody looks. */
export const HIDDEN_FACTOR = 3;

export class PollLine extends HttpLine {
  #cursors;
  #get;
  #isHidden;
  #timers;
  #greeted = false;
  #asking = false;

  /**
   * @param {object} parts
   * @param {Post} parts.post
   * @param {() => Record<string, number>} parts.cursors
   * @param {(url: string) => Promise<{frames: any[]}>} parts.get rejects with an HttpRefusal
   * @param {() => boolean} parts.isHidden
   * @param {{setTimeout: (run: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} parts.clock
   */
  constructor({ post, cursors, get, isHidden, clock }) {
    super(post);
    this.#cursors = cursors;
    this.#get = get;
    this.#isHidden = isHidden;
    this.#timers = new Timers(clock);
    this.#ask();
  }

  /**
   * @override
   * @param {string} text
   */
  send(text) {
    super.send(text);
    // somebody wants to be sure, or to see what comes of it
    if (this.#greeted) this.#timers.set("next", 0, () => this.#ask());
  }

  async #ask() {
    if (this.#asking || this.isClosed) return;
    this.#asking = true;
    try {
      for (const frame of (await this.#get(withCursors("/events/poll/", this.#cursors()))).frames) {
        if (frame.type !== "hello" || !this.#greeted) this.hear(frame);
        this.#greeted = true;
      }
    } catch (refusal) {
      this.fail(refusal);
    }
    this.#asking = false;
    if (!this.isClosed) this.#timers.set("next", this.#pauseMs(), () => this.#ask());
  }

  #pauseMs() {
    const pause = Object.keys(this.#cursors()).length > 0 ? EVERY_MS : IDLE_EVERY_MS;
    return this.#isHidden() ? pause * HIDDEN_FACTOR : pause;
  }

  /** @override */
  close() {
    super.close();
    this.#timers.clearAll();
  }
}

/**
 * @param {string} url
 * @returns {Promise<any>} the decoded answer; rejects with HttpRefusal
 */
export async function get(url) {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const response = await fetch(url, { headers: { Accept: "application/json" }, cache: "no-store", signal });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new HttpRefusal(response.status, answer.code ?? "unavailable", "");
  return answer;
}

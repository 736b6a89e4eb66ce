// @ts-check
/** The channel where nothing gets through but short answers: the page asks again and again. */

import { at } from "../lib/dom.js";
import { HttpChannel, withCursors } from "./http-transport.js";
import { isTerminal } from "./protocol.js";
import { createTimers } from "../lib/timers.js";

/** @import {Post} from "./http-transport.js" */
/** @import {EventFrame} from "./protocol.js" */

export const EVERY_MS = 2_000;
export const IDLE_EVERY_MS = 10_000;
/** Nobody looks. */
export const HIDDEN_FACTOR = 3;
/** So long the server tells of a task that has ended to whom does not name it, and a little longer. */
const TOLD_AGAIN_S = 90;

export class PollChannel extends HttpChannel {
  #cursors;
  #get;
  #isHidden;
  #timers;
  /** When the last answer was given, in Unix seconds: what came and went after it is asked for. @type {number | null} */
  #since;
  /** The newest event that this channel brought of each task: pages name only what they show, until it ends. @type {Map<string, EventFrame>} */
  #brought = new Map();
  #greeted = false;
  #asking = false;
  /** Whether an answer came meanwhile that the page wants to know more of. */
  #again = false;

  /**
   * @param {object} parts
   * @param {Post} parts.post
   * @param {() => Record<string, number>} parts.cursors
   * @param {number | null} parts.since when everything was known, in Unix seconds
   * @param {(url: string) => Promise<{frames: any[]}>} parts.get rejects with an HttpRefusal
   * @param {() => boolean} parts.isHidden
   * @param {{setTimeout: (run: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} parts.clock
   */
  constructor({ post, cursors, since, get, isHidden, clock }) {
    super(post);
    this.#cursors = cursors;
    this.#since = since;
    this.#get = get;
    this.#isHidden = isHidden;
    this.#timers = createTimers(clock);
    this.#ask();
  }

  /** @override */
  answered() {
    // somebody wants to be sure, or to see what comes of it: asked any earlier, the pause after it would be an idle one
    this.#again = true;
    if (this.#greeted && !this.isClosed) this.#timers.set("next", 0, () => this.#ask());
  }

  async #ask() {
    if (this.#asking || this.isClosed) return;
    this.#asking = true;
    this.#again = false;
    try {
      const { frames } = await this.#get(withCursors(at("/events/poll/"), this.#known(), this.#since));
      for (const frame of frames) {
        if (frame.type === "hello") this.#since = frame.server_time;
        if (frame.type !== "hello" || !this.#greeted) this.handle(frame);
        this.#greeted = true;
      }
    } catch (refusal) {
      this.fail(refusal);
    }
    this.#asking = false;
    if (!this.isClosed) this.#timers.set("next", this.#again ? 0 : this.#pauseMs(), () => this.#ask());
  }

  /** What need not be told again. */
  #known() {
    const known = { ...this.#cursors() };
    for (const [taskId, { seq, status, timestamp }] of this.#brought) {
      if (isTerminal(status) && timestamp < (this.#since ?? 0) - TOLD_AGAIN_S) this.#brought.delete(taskId);
      else known[taskId] = Math.max(seq, known[taskId] ?? 0);
    }
    return known;
  }

  /**
   * @override
   * @param {any} frame
   */
  handle(frame) {
    if ("kind" in frame) this.#brought.set(frame.task_id, frame);
    super.handle(frame);
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

// @ts-check
/** A channel that polls, where a proxy holds streams back. */

import { siteUrl } from "../lib/dom.js";
import { HttpChannel, withCursors } from "./http-transport.js";
import { isTerminal } from "./protocol.js";
import { createTimers } from "./timers.js";

/** @import {Post} from "./http-transport.js" */
/** @import {Clock} from "./transport-choice.js" */
/** @import {EventFrame} from "./protocol.js" */

const EVERY_MS = 2_000;
const IDLE_EVERY_MS = 10_000;
/** Factor of the interval while the page is hidden. */
const HIDDEN_FACTOR = 3;
/** A little longer than the server sends an ended task to clients that do not name it. */
const ENDED_KEPT_S = 90;

export class PollChannel extends HttpChannel {
  #cursors;
  #mostNamed;
  #get;
  #isHidden;
  #timers;
  /** Server time of the last response, in Unix seconds; tasks since then are requested too. @type {number | null} */
  #since;
  /** {task id: newest event received}; a page has cursors only for unfinished tasks that it shows. @type {Map<string, EventFrame>} */
  #newest = new Map();
  #hasHello = false;
  /** Whether the last response had a `limits` frame. */
  #hadLimits = false;
  #isPolling = false;
  /** Whether to poll again at once, because a message was answered meanwhile. */
  #pollsAgain = false;

  /**
   * @param {object} parts
   * @param {Post} parts.post
   * @param {() => Record<string, number>} parts.cursors
   * @param {number} parts.mostNamed tasks in one URL
   * @param {number | null} parts.since server time up to which the page knows everything, in Unix seconds
   * @param {(url: string) => Promise<{frames: any[]}>} parts.get rejects with an HttpRefusal
   * @param {() => boolean} parts.isHidden
   * @param {Pick<Clock, "setTimeout" | "clearTimeout">} parts.clock
   */
  constructor({ post, cursors, mostNamed, since, get, isHidden, clock }) {
    super(post);
    this.#cursors = cursors;
    this.#mostNamed = mostNamed;
    this.#since = since;
    this.#get = get;
    this.#isHidden = isHidden;
    this.#timers = createTimers(clock);
    this.#poll();
  }

  /** @override */
  answered() {
    // poll for the effects of the message; an earlier poll would miss them and be followed by an idle interval
    this.#pollsAgain = true;
    if (this.#hasHello && !this.isClosed) this.#timers.set("next", 0, () => this.#poll());
  }

  async #poll() {
    if (this.#isPolling || this.isClosed) return;
    this.#isPolling = true;
    this.#pollsAgain = false;
    try {
      const { frames } = await this.#get(withCursors(siteUrl("/events/poll/"), this.#allCursors(), this.#mostNamed, this.#since));
      const hasLimits = frames.some(({ type }) => type === "limits");
      // a response without limits says that there are none any more
      if (this.#hadLimits && !hasLimits) frames.push({ type: "limits", limits: {} });
      this.#hadLimits = hasLimits;
      for (const frame of frames) {
        if (frame.type === "hello") this.#since = frame.server_time;
        if (frame.type !== "hello" || !this.#hasHello) this.handle(frame);
        this.#hasHello = true;
      }
    } catch (refusal) {
      this.fail(refusal);
    }
    this.#isPolling = false;
    if (!this.isClosed) this.#timers.set("next", this.#pollsAgain ? 0 : this.#intervalMs(), () => this.#poll());
  }

  /** Cursors of events that the server need not send again. */
  #allCursors() {
    const known = { ...this.#cursors() };
    for (const [taskId, { seq, status, timestamp }] of this.#newest) {
      if (isTerminal(status) && timestamp < (this.#since ?? 0) - ENDED_KEPT_S) this.#newest.delete(taskId);
      else known[taskId] = Math.max(seq, known[taskId] ?? 0);
    }
    return known;
  }

  /**
   * @override
   * @param {any} frame
   */
  handle(frame) {
    if ("kind" in frame) this.#newest.set(frame.task_id, frame);
    super.handle(frame);
  }

  #intervalMs() {
    const interval = Object.keys(this.#cursors()).length > 0 ? EVERY_MS : IDLE_EVERY_MS;
    return this.#isHidden() ? interval * HIDDEN_FACTOR : interval;
  }

  /** @override */
  close() {
    super.close();
    this.#timers.clearAll();
  }
}

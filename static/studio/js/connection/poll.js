// @ts-check
/** The channel where nothing gets through but short answers: the page asks again and again. */

import { at } from "../lib/dom.js";
import { HttpChannel, withCursors } from "./http-transport.js";
import { isTerminal } from "./protocol.js";
import { createTimers } from "./timers.js";

/** @import {Post} from "./http-transport.js" */
/** @import {Clock} from "./transports.js" */
/** @import {EventFrame} from "./protocol.js" */

const EVERY_MS = 2_000;
const IDLE_EVERY_MS = 10_000;
/** Factor of the pause while the page is hidden. */
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
  #brought = new Map();
  #greeted = false;
  #asking = false;
  /** Whether to poll again at once, because a message was answered meanwhile. */
  #again = false;

  /**
   * @param {object} parts
   * @param {Post} parts.post
   * @param {() => Record<string, number>} parts.cursors
   * @param {number} parts.mostNamed tasks in one URL
   * @param {number | null} parts.since when everything was known, in Unix seconds
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
    this.#ask();
  }

  /** @override */
  answered() {
    // poll for the effects of the message; an earlier poll would miss them and be followed by an idle pause
    this.#again = true;
    if (this.#greeted && !this.isClosed) this.#timers.set("next", 0, () => this.#ask());
  }

  async #ask() {
    if (this.#asking || this.isClosed) return;
    this.#asking = true;
    this.#again = false;
    try {
      const { frames } = await this.#get(withCursors(at("/events/poll/"), this.#known(), this.#mostNamed, this.#since));
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

  /** Cursors of events that the server need not send again. */
  #known() {
    const known = { ...this.#cursors() };
    for (const [taskId, { seq, status, timestamp }] of this.#brought) {
      if (isTerminal(status) && timestamp < (this.#since ?? 0) - ENDED_KEPT_S) this.#brought.delete(taskId);
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

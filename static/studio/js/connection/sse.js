// @ts-check
/** A channel of server-sent events, with messages by POST, where WebSockets are blocked. */

import { siteUrl } from "../lib/dom.js";
import { HttpChannel, withCursors } from "./http-transport.js";
import { CLOSE_SILENT } from "./protocol.js";
import { createTimers } from "./timers.js";

/** @import {Post} from "./http-transport.js" */
/** @import {Clock} from "./transport-choice.js" */

/** The server sends something at least every 15 s. */
const SILENT_AFTER_MS = 40_000;
/** A timer this late means that the device slept, and the stream with it. */
const SLEPT_MS = 5_000;
const LOST = 1006;

export class SseChannel extends HttpChannel {
  #now;
  #source;
  #timers;

  /**
   * @param {object} parts
   * @param {Post} parts.post
   * @param {() => Record<string, number>} parts.cursors
   * @param {number} parts.mostNamed tasks in one URL
   * @param {number | null} parts.since server time up to which the page knows everything, in Unix seconds
   * @param {(url: string) => EventSource} parts.listen
   * @param {Clock} parts.clock
   */
  constructor({ post, cursors, mostNamed, since, listen, clock }) {
    super(post);
    this.#now = clock.now;
    this.#timers = createTimers(clock);
    this.#source = listen(withCursors(siteUrl("/events/"), cursors(), mostNamed, since));
    this.#source.addEventListener("message", ({ data }) => {
      this.#watchSilence();
      this.handle(JSON.parse(data), data);
    });
    this.#source.addEventListener("alive", () => this.#watchSilence());
    this.#source.addEventListener("close", (event) => {
      this.end(JSON.parse(/** @type {MessageEvent} */ (event).data).code);
    });
    // EventSource would reconnect without a countdown and without the cursors
    this.#source.addEventListener("error", () => this.end(LOST));
    this.#watchSilence();
  }

  #watchSilence() {
    const due = this.#now() + SILENT_AFTER_MS;
    this.#timers.set("silence", SILENT_AFTER_MS, () => {
      if (this.#now() > due + SLEPT_MS) this.#watchSilence();
      else this.end(CLOSE_SILENT);
    });
  }

  /** @override */
  close() {
    super.close();
    this.#timers.clearAll();
    this.#source.close();
  }
}

// @ts-check
/** The channel where WebSockets are blocked: server-sent events, and messages by POST. */

import { at } from "../lib/dom.js";
import { HttpChannel, withCursors } from "./http-transport.js";
import { CLOSE_SILENT } from "./protocol.js";
import { createTimers } from "./timers.js";

/** @import {Post} from "./http-transport.js" */
/** @import {Clock} from "./transports.js" */

/** The server says at least every 15 s that it is there. */
const SILENT_AFTER_MS = 40_000;
/** A timer that is later than this has slept, and so has the stream. */
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
   * @param {number | null} parts.since when everything was known, in Unix seconds
   * @param {(url: string) => EventSource} parts.listen
   * @param {Clock} parts.clock
   */
  constructor({ post, cursors, mostNamed, since, listen, clock }) {
    super(post);
    this.#now = clock.now;
    this.#timers = createTimers(clock);
    this.#source = listen(withCursors(at("/events/"), cursors(), mostNamed, since));
    this.#source.addEventListener("message", ({ data }) => {
      this.#breathe();
      this.handle(JSON.parse(data), data);
    });
    this.#source.addEventListener("alive", () => this.#breathe());
    this.#source.addEventListener("close", (event) => {
      this.end(JSON.parse(/** @type {MessageEvent} */ (event).data).code);
    });
    // it would come back by itself, but without a countdown and without the page's cursors
    this.#source.addEventListener("error", () => this.end(LOST));
    this.#breathe();
  }

  #breathe() {
    const due = this.#now() + SILENT_AFTER_MS;
    this.#timers.set("silence", SILENT_AFTER_MS, () => {
      if (this.#now() > due + SLEPT_MS) this.#breathe();
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

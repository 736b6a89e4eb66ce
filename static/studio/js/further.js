// @ts-check
/** The link at the end of the feed: older tasks come when it is nearly in sight, or pressed. */

import { lazy } from "./dom.js";
import { errorSentence } from "./labels.js";
import { toast } from "./toasts.js";

/** @import {Feed} from "./feed.js" */
/** @import {Ledger} from "./ledger.js" */
/** @import {Older} from "./older.js" */

/** They are fetched so far before they are seen. */
const AHEAD = "600px";

export class Further {
  #link;
  #feed;
  #load;
  #older = /** @type {Older | null} */ (null);
  #isLoading = false;
  #sight;

  /**
   * @param {HTMLElement} link
   * @param {{feed: Feed, ledger: Ledger}} parts
   */
  constructor(link, parts) {
    this.#link = link;
    this.#feed = parts.feed;
    this.#load = lazy(async () => (this.#older = new (await import("./older.js")).Older(parts)));
    this.#sight = new IntersectionObserver((seen) => seen.some((each) => each.isIntersecting) && this.#more(), { rootMargin: AHEAD });
    this.#sight.observe(link);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      this.#more(() => toast(errorSentence("unavailable"), "fail"));
    });
  }

  /** @param {string} filter */
  filter(filter) {
    this.#older?.filter(filter);
  }

  /** @param {() => void} [failed] what to say if they did not come; the link stays, and a press asks again */
  async #more(failed) {
    if (this.#isLoading) return;
    this.#isLoading = true;
    this.#sight.unobserve(this.#link); // what is still in sight afterwards is told anew
    try {
      const older = await this.#load();
      const { filter } = this.#feed;
      older.filter(filter);
      if (!(await older.more())) this.#feed.isComplete(filter);
      this.#sight.observe(this.#link);
    } catch {
      failed?.();
    }
    this.#isLoading = false;
  }
}

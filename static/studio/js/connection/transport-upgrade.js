// @ts-check
/** The way up again: better lines are tried beside the one that works, until one of them says hello. */

import { createTimers } from "../lib/timers.js";

/** @import {Line, Rung} from "./transports.js" */

const CLIMB_FIRST_MS = 60_000;
const CLIMB_MOST_MS = 600_000;

export class Climb {
  #open;
  #arrived;
  #learn;
  #patience;
  #timers;
  #after = CLIMB_FIRST_MS;
  /** @type {AbortController | null} */
  #probing = null;

  /**
   * @param {object} parts
   * @param {(rungs: Rung[]) => Promise<boolean>} parts.learn whether lines of these can be made now
   * @param {(rung: Rung) => Line} parts.open
   * @param {Record<Rung, number>} parts.patience ms until `hello` has to be there
   * @param {(rung: Rung, line: Line, hello: string) => void} parts.arrived
   * @param {{setTimeout: (run: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} parts.clock
   */
  constructor({ learn, open, patience, arrived, clock }) {
    this.#learn = learn;
    this.#open = open;
    this.#patience = patience;
    this.#arrived = arrived;
    this.#timers = createTimers(clock);
  }

  /** Look for something better after a while, each time a longer one. @param {Rung[]} better the best first; none: at the top */
  later(better) {
    if (better.length === 0) {
      this.#after = CLIMB_FIRST_MS;
      return;
    }
    this.#timers.set("climb", this.#after, async () => {
      this.#after = Math.min(CLIMB_MOST_MS, this.#after * 2);
      if (await this.#learn(better)) this.#probe(better, better);
      else this.later(better);
    });
  }

  stop() {
    this.#timers.clearAll();
    this.#probing?.abort();
  }

  /**
   * @param {Rung[]} left
   * @param {Rung[]} better
   */
  #probe([rung, ...others], better) {
    if (!rung) {
      this.later(better);
      return;
    }
    const line = this.#open(rung);
    const probing = (this.#probing = new AbortController());
    const { signal } = probing;
    const drop = () => line.close(1000, "");
    signal.addEventListener("abort", drop);
    const next = () => {
      this.stop();
      this.#probe(others, better);
    };
    this.#timers.set("probe", this.#patience[rung], next);
    line.addEventListener("close", next, { signal });
    line.addEventListener("message", (/** @type {any} */ { data }) => {
      signal.removeEventListener("abort", drop);
      this.stop();
      this.#arrived(rung, line, data);
    }, { signal });
  }
}

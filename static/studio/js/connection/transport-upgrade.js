// @ts-check
/** The way up again: better channels are tried beside the one that works, until one of them says hello. */

import { createTimers } from "../lib/timers.js";

/** @import {Channel, Transport} from "./transports.js" */

const UPGRADE_FIRST_MS = 60_000;
const UPGRADE_MOST_MS = 600_000;

export class TransportUpgrade {
  #open;
  #arrived;
  #learn;
  #patience;
  #timers;
  #after = UPGRADE_FIRST_MS;
  /** @type {AbortController | null} */
  #probing = null;

  /**
   * @param {object} parts
   * @param {(transports: Transport[]) => Promise<boolean>} parts.learn whether channels of these can be made now
   * @param {(transport: Transport) => Channel} parts.open
   * @param {Record<Transport, number>} parts.patience ms until `hello` has to be there
   * @param {(transport: Transport, channel: Channel, hello: string) => void} parts.arrived
   * @param {{setTimeout: (run: () => void, ms: number) => unknown, clearTimeout: (timer: any) => void}} parts.clock
   */
  constructor({ learn, open, patience, arrived, clock }) {
    this.#learn = learn;
    this.#open = open;
    this.#patience = patience;
    this.#arrived = arrived;
    this.#timers = createTimers(clock);
  }

  /** Look for something better after a while, each time a longer one. @param {Transport[]} better the best first; none: at the top */
  later(better) {
    if (better.length === 0) {
      this.#after = UPGRADE_FIRST_MS;
      return;
    }
    this.#timers.set("upgrade", this.#after, async () => {
      this.#after = Math.min(UPGRADE_MOST_MS, this.#after * 2);
      if (await this.#learn(better)) this.#probe(better, better);
      else this.later(better);
    });
  }

  stop() {
    this.#timers.clearAll();
    this.#probing?.abort();
  }

  /**
   * @param {Transport[]} left
   * @param {Transport[]} better
   */
  #probe([transport, ...others], better) {
    if (!transport) {
      this.later(better);
      return;
    }
    const channel = this.#open(transport);
    const probing = (this.#probing = new AbortController());
    const { signal } = probing;
    const drop = () => channel.close(1000, "");
    signal.addEventListener("abort", drop);
    const next = () => {
      this.stop();
      this.#probe(others, better);
    };
    this.#timers.set("probe", this.#patience[transport], next);
    channel.addEventListener("close", next, { signal });
    channel.addEventListener("message", (/** @type {any} */ { data }) => {
      signal.removeEventListener("abort", drop);
      this.stop();
      this.#arrived(transport, channel, data);
    }, { signal });
  }
}

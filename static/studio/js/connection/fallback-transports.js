// @ts-check
/** Loaded when WebSockets are blocked: the other transports, and the upgrade to a better one. */

import { siteUrl } from "../lib/dom.js";
import { getJson, send } from "./http.js";
import { PollChannel } from "./poll.js";
import { SseChannel } from "./sse.js";
import { createTimers } from "./timers.js";

/** @import {Channel, Clock, Make, Transport} from "./transport-choice.js" */
/** @import {TaskStore} from "../state/task-store.js" */

/** @typedef {ReturnType<typeof createFallback>} Fallback */

const REACHABLE_WITHIN_MS = 5_000;
const UPGRADE_FIRST_MS = 60_000;
const UPGRADE_MOST_MS = 600_000;

/** @param {{taskStore: TaskStore, mostNamed: number, clock: Clock}} parts `mostNamed`: tasks in one URL */
export function createFallback({ taskStore, mostNamed, clock }) {
  const http = {
    clock, mostNamed,
    post: (/** @type {unknown} */ message) => send(siteUrl("/messages/"), message),
    cursors: () => Object.fromEntries(taskStore.unfinished().map((taskId) => [taskId, taskStore.cursor(taskId)])),
  };
  /** @type {Record<"sse" | "poll", Make>} */
  const makers = {
    sse: (since) => new SseChannel({ ...http, since, listen: (url) => new EventSource(url) }),
    poll: (since) => new PollChannel({ ...http, since, get: getJson, isHidden: () => document.hidden }),
  };
  /** Whether the server answers at all. */
  const isReachable = () =>
    fetch(siteUrl("/healthz"), { cache: "no-store", signal: AbortSignal.timeout(REACHABLE_WITHIN_MS) }).then(({ ok }) => ok, () => false);
  return { makers, isReachable, Upgrade: TransportUpgrade };
}

/** Tries better transports beside the one that works, until one of them gets `hello`. */
export class TransportUpgrade {
  #open;
  #upgraded;
  #helloTimeoutMs;
  #timers;
  #delayMs = UPGRADE_FIRST_MS;
  /** @type {AbortController | null} */
  #probing = null;

  /**
   * @param {object} parts
   * @param {(transport: Transport) => Channel} parts.open
   * @param {Record<Transport, number>} parts.helloTimeoutMs
   * @param {(transport: Transport, channel: Channel, hello: string) => void} parts.upgraded
   * @param {Clock} parts.clock
   */
  constructor({ open, helloTimeoutMs, upgraded, clock }) {
    this.#open = open;
    this.#helloTimeoutMs = helloTimeoutMs;
    this.#upgraded = upgraded;
    this.#timers = createTimers(clock);
  }

  /** Try again after a delay, which doubles each time. @param {Transport[]} better the best first; empty resets the delay */
  schedule(better) {
    if (better.length === 0) {
      this.#delayMs = UPGRADE_FIRST_MS;
      return;
    }
    this.#timers.set("upgrade", this.#delayMs, () => {
      this.#delayMs = Math.min(UPGRADE_MOST_MS, this.#delayMs * 2);
      this.#probe(better, better);
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
      this.schedule(better);
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
    this.#timers.set("probe", this.#helloTimeoutMs[transport], next);
    channel.addEventListener("close", next, { signal });
    channel.addEventListener("message", (/** @type {any} */ { data }) => {
      signal.removeEventListener("abort", drop);
      this.stop();
      this.#upgraded(transport, channel, data);
    }, { signal });
  }
}

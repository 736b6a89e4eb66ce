// @ts-check
/** The ladder as a browser has it; what only few people need is loaded when they need it. */

import { at } from "./base.js";
import { Ladder } from "./ladder.js";

/** @import {Ledger} from "./ledger.js" */

const REACHABLE_WITHIN_MS = 5_000;

export const clock = {
  now: () => Date.now(),
  setTimeout: (/** @type {() => void} */ run, /** @type {number} */ ms) => setTimeout(run, ms),
  clearTimeout: (/** @type {any} */ timer) => clearTimeout(timer),
};

/** @param {{socketPath: string, ledger: Ledger, store: Storage | null, since?: number | null}} parts since: the server's time when the page was made */
export function browserLadder({ socketPath, ledger, store, since = null }) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const http = {
    clock,
    post: async (/** @type {unknown} */ message) => (await import("./http.js")).send(at("/messages/"), message),
    cursors: () => Object.fromEntries(ledger.unfinished().map((taskId) => [taskId, ledger.cursor(taskId)])),
  };
  const ladder = new Ladder({
    ws: () => new WebSocket(`${scheme}://${location.host}${socketPath}`),
    load: {
      climb: async () => (await import("./climb.js")).Climb,
      sse: async () => {
        const { SseLine } = await import("./sse.js");
        return (since) => new SseLine({ ...http, since, listen: (url) => new EventSource(url) });
      },
      poll: async () => {
        const [{ PollLine }, { getJson: get }] = await Promise.all([import("./poll.js"), import("./http.js")]);
        return (since) => new PollLine({ ...http, since, get, isHidden: () => document.hidden });
      },
    },
    isReachable: () =>
      fetch(at("/healthz"), { cache: "no-store", signal: AbortSignal.timeout(REACHABLE_WITHIN_MS) }).then(({ ok }) => ok, () => false),
    store,
    clock,
  });
  ladder.since = since;
  return ladder;
}

// @ts-check
/** The ladder as a browser has it; what only few people need is loaded when they need it. */

import { send } from "./http.js";
import { Ladder } from "./ladder.js";

/** @import {Ledger} from "./ledger.js" */

const REACHABLE_WITHIN_MS = 5_000;

/** @param {{socketPath: string, ledger: Ledger, store: Storage | null}} parts */
export function browserLadder({ socketPath, ledger, store }) {
  const clock = {
    now: () => Date.now(),
    setTimeout: (/** @type {() => void} */ run, /** @type {number} */ ms) => setTimeout(run, ms),
    clearTimeout: (/** @type {any} */ timer) => clearTimeout(timer),
  };
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const http = {
    clock,
    post: (/** @type {unknown} */ message) => send("/messages/", message),
    cursors: () => Object.fromEntries(ledger.unfinished().map((taskId) => [taskId, ledger.cursor(taskId)])),
  };
  return new Ladder({
    ws: () => new WebSocket(`${scheme}://${location.host}${socketPath}`),
    load: {
      sse: async () => {
        const { SseLine } = await import("./sse.js");
        return () => new SseLine({ ...http, listen: (url) => new EventSource(url) });
      },
      poll: async () => {
        const { PollLine, get } = await import("./poll.js");
        return () => new PollLine({ ...http, get, isHidden: () => document.hidden });
      },
    },
    isReachable: async () => {
      try {
        const signal = AbortSignal.timeout(REACHABLE_WITHIN_MS);
        return (await fetch("/healthz", { cache: "no-store", signal })).ok;
      } catch {
        return false;
      }
    },
    store,
    clock,
  });
}

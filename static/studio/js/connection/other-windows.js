// @ts-check
/** The connection of pages without cards: receives changes made in other windows. */

import { dispatchRemote } from "../card/actions.js";
import { createTaskStore } from "../state/task-store.js";
import { createPendingRequests } from "../state/pending-requests.js";
import { createSocket } from "./reconnecting.js";
import { browserTransports, clock } from "./transport-choice.js";

/** @import {CollectionChange, CollectionFrame} from "./protocol.js" */

/**
 * @param {HTMLElement} root `data-socket` is the path of the socket, `data-collection` the revision that the page shows
 * @param {() => void} refresh fetches again what the page shows
 */
export function listenToOtherWindows({ dataset: { socket: socketPath = "", collection } }, refresh) {
  let known = Number(collection);
  /** @param {CollectionFrame} frame */
  const collectionChanged = (frame) => {
    if (frame.revision <= known) return;
    const isNext = frame.revision === known + 1 && frame.change;
    known = frame.revision;
    if (isNext) dispatchRemote(/** @type {CollectionChange} */ (frame));
    if (frame.change !== "favourite" && frame.change !== "deleted") refresh();
    else if (!isNext) refresh();
  };
  const nothing = () => {};
  const taskStore = createTaskStore(() => false); // shows no tasks
  const transports = browserTransports({ socketPath, taskStore, mostNamed: 0, store: null });
  const socket = createSocket({
    transports,
    taskStore,
    requests: createPendingRequests(null, ""),
    listener: {
      connectionChanged: nothing, taskAdded: nothing, taskChanged: nothing, taskRemoved: nothing,
      queueChanged: nothing, accepted: nothing, refused: nothing, cancelAnswered: nothing, caughtUp: nothing,
      serverTimeReceived: nothing, collectionChanged, reconnected: refresh,
    },
    env: { ...clock, random: Math.random, isOnline: () => navigator.onLine },
  });
  addEventListener("online", () => socket.handleOnline());
  addEventListener("pageshow", ({ persisted }) => persisted && socket.retryNow());
  transports.prepare().then(() => socket.start());
}

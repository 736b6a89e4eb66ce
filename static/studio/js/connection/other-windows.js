// @ts-check
/** The gallery's connection: receives changes made in other windows. */

import { dispatchRemote } from "../card/actions.js";
import { createTaskStore } from "../state/task-store.js";
import { createPendingRequests } from "../state/pending-requests.js";
import { createSocket } from "../connection/reconnecting.js";
import { browserTransports, clock } from "../connection/transport-choice.js";

/** @import {CollectionChange, CollectionFrame} from "../connection/protocol.js" */

/**
 * @param {{socketPath: string, revision: number, refresh: () => void}} parts `revision` that the page shows;
 *   `refresh` fetches the page again
 */
export function listenToOtherWindows({ socketPath, revision, refresh }) {
  let known = revision;
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

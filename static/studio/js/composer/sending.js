// @ts-check
/** Requests without an answer: the list above the cards, and the state of the form's button. */

import { Parts, byId, clone, closest, on } from "../lib/dom.js";
import { gettext } from "../lib/i18n.js";

/** @import {Composer} from "./composer.js" */
/** @import {KeyedMessage, PendingRequests} from "../state/pending-requests.js" */
/** @import {Connection} from "../connection/reconnecting.js" */

/**
 * @param {{requests: PendingRequests, composer: Composer | null, connection: () => Connection}} parts
 * @returns {() => void} shows the pending requests
 */
export function watchSending({ requests, composer, connection }) {
  const list = byId("pending");
  let shown = "";

  function refresh() {
    const { phase, failures, reason } = connection();
    const connected = phase === "live" || (phase === "connecting" && failures === 0);
    const messages = requests.all().filter(({ action }) => action === "generate");
    const now = JSON.stringify([messages, connected, reason]);
    if (now === shown) return;
    shown = now;
    list?.replaceChildren(...messages.map((message) => itemOf(message, connected)));
    composer?.showSending({ sending: messages.length > 0 && connected, connected, reason });
  }

  on(list, "click", (event) => {
    if (!closest(event, "[data-action='discard']")) return;
    requests.settle(closest(event, "[data-request-key]")?.dataset.requestKey);
    refresh();
  });
  return refresh;
}

/**
 * @param {KeyedMessage} message
 * @param {boolean} connected
 */
function itemOf({ request_key: key, prompt }, connected) {
  const item = clone("pending-template");
  const parts = new Parts(item);
  item.dataset.requestKey = key;
  parts.setTexts({
    prompt: String(prompt),
    text: connected ? gettext("Sending…") : gettext("Not sent yet; sent when the connection is back"),
  });
  parts.setShown({ discard: !connected });
  return item;
}

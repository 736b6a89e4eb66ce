// @ts-check
/** "Cancel all queued": the first press asks, a second one within CONFIRM_MS cancels. */

import { Parts } from "../lib/dom.js";
import { gettext, ngettext } from "../lib/i18n.js";

/** @import {Card} from "./card.js" */

const CONFIRM_MS = 4_000;
const REFRESH_MS = 250;

/** @type {ReturnType<typeof setInterval> | undefined} */
let refreshTimer;
let isAsking = false;
/** @type {Parts | undefined} */
let parts;

/**
 * @param {HTMLElement} button
 * @param {() => Card[]} waiting cards of queued tasks
 * @param {(card: Card) => void} cancel
 */
export function press(button, waiting, cancel) {
  const shown = (parts ??= new Parts(button));
  const stop = () => {
    clearInterval(refreshTimer);
    isAsking = false;
    shown.setData({ asking: null });
    shown.setTexts({ words: gettext("Cancel all queued") });
  };
  if (isAsking) {
    stop();
    waiting().forEach(cancel);
    return;
  }
  const until = Date.now() + CONFIRM_MS;
  const ask = () => {
    const n = waiting().length;
    if (n === 0 || Date.now() >= until) {
      stop();
      return;
    }
    shown.setData({ asking: true });
    shown.setTexts({ words: ngettext("Cancel %(n)s queued task?", "Cancel %(n)s queued tasks?", n) });
  };
  isAsking = true;
  refreshTimer = setInterval(ask, REFRESH_MS);
  ask();
  // the question is longer, and may end beyond the row on a phone
  button.scrollIntoView({ block: "nearest", inline: "nearest" });
}

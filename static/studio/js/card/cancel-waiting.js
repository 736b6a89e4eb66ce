// @ts-check
/** "Cancel all queued": the first press asks, a second one within CONFIRM_MS cancels. */

import { Face } from "../lib/dom.js";
import { gettext, ngettext } from "../lib/i18n.js";

/** @import {Card} from "./card.js" */

const CONFIRM_MS = 4_000;
const REFRESH_MS = 250;

/** @type {ReturnType<typeof setInterval> | undefined} */
let asking;
/** @type {Face | undefined} */
let face;

/**
 * @param {HTMLElement} button
 * @param {() => Card[]} waiting cards of queued tasks
 * @param {(card: Card) => void} cancel
 */
export function press(button, waiting, cancel) {
  const shown = (face ??= new Face(button));
  const stop = () => {
    clearInterval(asking);
    asking = undefined;
    shown.mark({ asking: null });
    shown.tell({ words: gettext("Cancel all queued") });
  };
  if (asking !== undefined) {
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
    shown.mark({ asking: true });
    shown.tell({ words: ngettext("Cancel %(n)s queued task?", "Cancel %(n)s queued tasks?", n) });
  };
  asking = setInterval(ask, REFRESH_MS);
  ask();
}

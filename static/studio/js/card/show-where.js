// @ts-check
/** What was sent while its card is out of sight has gone somewhere: say where; loaded with the first that was sent. */

import { gettext } from "../lib/i18n.js";
import { toast } from "../ui/toasts.js";

/** @import {Feed} from "./task-list.js" */

const AGAIN_AFTER_MS = 3_000;

let shownAt = -Infinity;

/**
 * @param {Feed} feed
 * @param {string} taskId
 */
export function showWhere(feed, taskId) {
  const element = feed.card(taskId)?.element;
  if (!element || isInView(element.offsetParent ? element : document.querySelector("#queue:not([hidden]), #cards"))) return;
  if (performance.now() - shownAt < AGAIN_AFTER_MS) return; // of many that are sent at once the first is enough
  shownAt = performance.now();
  toast(gettext("Sent: it is in the queue"), "plain", { label: gettext("Show"), run: () => reveal(feed, taskId) });
}

/** Whether a part of it can be seen. @param {Element | null} element */
function isInView(element) {
  const box = element?.getBoundingClientRect();
  return box && box.bottom > 0 && box.top < innerHeight;
}

/**
 * Bring the card into view.
 *
 * @param {Feed} feed
 * @param {string} taskId
 */
async function reveal(feed, taskId) {
  const card = feed.card(taskId);
  if (!card) return;
  if (card.state.status === "queued") await feed.unfold();
  if (!card.element.checkVisibility()) feed.stepTo("all");
  card.element.scrollIntoView({ block: "center" });
}

// @ts-check
/** A toast for a submitted task whose card is out of view; loaded with the first submission. */

import { gettext } from "../lib/i18n.js";
import { toast } from "../ui/messages.js";

/** @import {TaskList} from "./task-list.js" */

const AGAIN_AFTER_MS = 3_000;

let shownAt = -Infinity;

/**
 * @param {TaskList} taskList
 * @param {string} taskId
 */
export function showWhere(taskList, taskId) {
  const element = taskList.card(taskId)?.element;
  if (!element || isInView(element.offsetParent ? element : document.querySelector("#queue:not([hidden]), #cards"))) return;
  if (performance.now() - shownAt < AGAIN_AFTER_MS) return; // one toast for several tasks sent at once
  shownAt = performance.now();
  toast(gettext("Sent: the task is in the queue"), "plain", { label: gettext("Show"), run: () => scrollToCard(taskList, taskId) });
}

/** Whether a part of the element is in the viewport. @param {Element | null} element */
function isInView(element) {
  const box = element?.getBoundingClientRect();
  return box && box.bottom > 0 && box.top < innerHeight;
}

/**
 * Bring the card into view.
 *
 * @param {TaskList} taskList
 * @param {string} taskId
 */
async function scrollToCard(taskList, taskId) {
  const card = taskList.card(taskId);
  if (!card) return;
  if (card.state.status === "queued") await taskList.unfold();
  if (!card.element.checkVisibility()) taskList.filters.choose("all");
  card.element.scrollIntoView({ block: "center" });
}

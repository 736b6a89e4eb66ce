// @ts-check
/** What stands where a withheld picture would be; loaded with the first one. The server renders it. */

import { find, loadStyles, setAttribute, siteUrl } from "../lib/dom.js";

/** @import {Card} from "./card.js" */
/** @import {Picture} from "../connection/protocol.js" */

/** What each frame shows. @type {WeakMap<HTMLElement, Picture | undefined>} */
const shown = new WeakMap();

/** Show why pictures of a card are withheld. @param {Card} card in its newest state */
export function paintWithheld({ element, taskId, task, state }) {
  const frames = /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll(".card__pictures > .frame"));
  frames.forEach((frame, i) => paint(frame, taskId, state.images.find(({ index }) => index === i + 1)));
  const stage = element.querySelector(".frame--stage");
  if (task.n === 1 && stage instanceof HTMLElement) paint(stage, taskId, state.images[0]);
}

/**
 * @param {HTMLElement} frame
 * @param {string} taskId
 * @param {Picture} [picture]
 */
async function paint(frame, taskId, picture) {
  const old = frame.querySelector(".withheld");
  const isFirst = old !== null && !shown.has(frame); // the server has rendered it
  if (shown.get(frame) === picture && shown.has(frame)) return;
  shown.set(frame, picture);
  setAttribute(frame, "data-withheld", !!picture?.withheld);
  if (!picture?.withheld) old?.remove();
  else if (!isFirst) {
    const tile = await withheldTile(taskId, picture.index).catch(() => null); // offline
    if (!tile || shown.get(frame) !== picture) return;
    frame.querySelector(".withheld")?.remove();
    frame.append(tile);
  }
}

/**
 * Rejects if the picture is not withheld any more.
 *
 * @param {string} taskId
 * @param {number} index
 * @returns {Promise<HTMLElement>}
 */
export async function withheldTile(taskId, index) {
  const response = await fetch(siteUrl(`/pictures/${taskId}/${index}/notice/?tile=1`));
  if (!response.ok || response.redirected) throw new Error(`status ${response.status}`);
  const { body } = new DOMParser().parseFromString(await response.text(), "text/html");
  const tile = document.adoptNode(find(body, ".withheld", HTMLElement));
  await loadStyles(tile).catch(() => {}); // works without styles
  return tile;
}

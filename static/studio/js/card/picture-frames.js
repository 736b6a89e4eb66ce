// @ts-check
/** Frames of pictures: their shape, the grid of steps while a picture is drawn, and the stored picture. */

import { clone, find, setAttribute, setText } from "../lib/dom.js";
import { gettext, length } from "../lib/i18n.js";
import { pictureKey } from "../connection/protocol.js";

/** @import {Card} from "./card.js" */
/** @import {Picture, Task, TaskState} from "../connection/protocol.js" */

/** The longer side of a thumbnail. */
const THUMBNAIL_EDGE = 640;
/** `auto` is the rendered width of a lazy image; browsers without it assume the widest frame. */
const SIZES = "auto, (max-width: 767px) 90vw, 560px";

/** The grid's unit, and its columns at least. */
const CELL = 10;
const LEAST_COLUMNS = 4;

/**
 * The small frames of a card, one for each picture.
 *
 * @param {HTMLElement} list
 * @param {Card} card
 */
export function paintFrames(list, card) {
  const { task, state } = card;
  for (let number = 1; number <= task.n; number += 1) {
    const frame = /** @type {HTMLElement} */ (list.children[number - 1] ?? list.appendChild(clone("frame-template")));
    const picture = state.images.find(({ index }) => index === number);
    const label = frame.querySelector(".frame__label");
    setAttribute(frame, "data-current", isDrawn(state, number));
    setRatio(frame, task);
    if (label) setText(label, picture ? "" : String(number));
    fillFrame(frame, card, number, picture);
  }
}

/**
 * Whether a picture is being drawn.
 *
 * @param {TaskState} state
 * @param {number} number counts from 1
 */
export const isDrawn = ({ image, ended_at: ended, images }, number) =>
  number === image && ended === null && !images.some(({ index }) => index === number);

/**
 * Show the stored picture in its frame, or remove one that no longer exists.
 *
 * @param {HTMLElement} frame
 * @param {Card} card
 * @param {number} number counts from 1
 * @param {Picture} [stored]
 */
export function fillFrame(frame, { taskId, task }, number, stored) {
  const picture = stored?.withheld ? undefined : stored;
  const link = /** @type {HTMLElement | null} */ (frame.querySelector(".frame__link"));
  if (link?.dataset.pictureKey !== (picture && pictureKey(taskId, picture))) {
    for (const part of frame.querySelectorAll(".frame__link, .frame__demo, .frame__heart")) part.remove();
    if (picture) appendPicture(frame, taskId, picture, pictureAlt(task, number));
  } else if (link && picture) {
    setSources(find(link, "img", HTMLImageElement), picture);
  }
  setAttribute(frame, "data-stored", !!stored);
  paintHeart(frame, !!picture?.favourite);
}

/**
 * @param {HTMLElement} frame
 * @param {boolean} favourite
 */
export function paintHeart(frame, favourite) {
  const heart = frame.querySelector(".frame__heart");
  if (favourite && !heart) frame.append(clone("heart-template"));
  else if (!favourite) heart?.remove();
}

/**
 * @param {HTMLElement} frame
 * @param {string} taskId
 * @param {Picture} picture
 * @param {string} alt
 */
function appendPicture(frame, taskId, picture, alt) {
  const link = clone("image-template");
  const image = find(link, "img", HTMLImageElement);
  const { width, height } = picture;
  Object.assign(image, { width, height, alt, src: picture.thumbnail_url });
  setSources(image, picture);
  link.dataset.pictureKey = pictureKey(taskId, picture);
  setAttribute(link, "href", picture.url);
  frame.append(link);
  if (picture.demo) frame.append(clone("demo-template"));
}

/**
 * @param {string} taskId
 * @param {Picture} picture
 * @param {string} alt
 */
export function recentFrame(taskId, picture, alt) {
  const frame = clone("frame-template");
  frame.querySelector(".frame__label")?.remove();
  setAttribute(frame, "data-stored", true);
  setRatio(frame, picture);
  appendPicture(frame, taskId, picture, alt);
  paintHeart(frame, !!picture.favourite);
  return frame;
}

/**
 * Let the browser load the full file where a picture is shown larger than its thumbnail.
 *
 * @param {HTMLImageElement} image
 * @param {Picture} picture
 */
function setSources(image, { url, thumbnail_url: thumbnail, width, height }) {
  const small = Math.round(Math.min(1, THUMBNAIL_EDGE / Math.max(width, height)) * width);
  if (image.srcset || small === width) return;
  image.sizes = SIZES;
  image.srcset = `${thumbnail} ${small}w, ${url} ${width}w`;
}

/**
 * Give a frame the shape of its picture.
 *
 * @param {HTMLElement} frame
 * @param {{width: number, height: number}} shape
 */
export function setRatio(frame, { width, height }) {
  const ratio = find(frame, ".frame__ratio", SVGSVGElement);
  setAttribute(ratio, "viewBox", `0 0 ${width} ${height}`);
  setAttribute(ratio, "width", width);
  setAttribute(ratio, "height", height);
}

/** Label for the shape of a picture that has no pixels yet. @param {Task} task */
export function shapeLabel({ width, height }) {
  const divisor = gcd(width, height);
  const [w, h] = [width / divisor, height / divisor];
  return w <= 21 && h <= 21 ? `${w}:${h}` : `${width} × ${height}`;
}

/**
 * @param {number} a
 * @param {number} b
 * @returns {number}
 */
const gcd = (a, b) => (b === 0 ? a : gcd(b, a % b));

/**
 * @param {Task} task
 * @param {number} number
 */
export function pictureAlt({ prompt: given, n }, number) {
  const prompt = given || gettext("Prompt removed");
  const short = length(prompt) > 80 ? `${[...prompt].slice(0, 79).join("")}…` : prompt;
  return gettext("%(prompt)s, picture %(i)s of %(n)s", { prompt: short, i: number, n });
}

/**
 * One cell per denoising step of the picture that is being drawn.
 *
 * @param {Element} grid
 * @param {number} total
 * @param {number} done
 * @param {{width: number, height: number}} shape of the picture
 */
export function paintGrid(grid, total, done, { width, height }) {
  if (grid.childElementCount !== total) drawGrid(grid, total, width / height);
  const before = grid.querySelectorAll("[data-done]").length;
  for (let i = Math.min(before, done); i < Math.min(total, Math.max(before, done)); i += 1) {
    setAttribute(grid.children[i], "data-done", i < done);
  }
}

/**
 * @param {Element} grid
 * @param {number} total
 * @param {number} ratio
 */
function drawGrid(grid, total, ratio) {
  const columns = gridColumns(total, ratio);
  const rows = Math.max(1, Math.ceil(total / columns));
  const width = Math.max(columns, LEAST_COLUMNS) * CELL;
  setAttribute(grid, "viewBox", `${(columns * CELL - width) / 2} 0 ${width - 2} ${rows * CELL - 2}`);
  grid.replaceChildren(...Array.from({ length: total }, (_, i) => {
    const cell = document.createElementNS(grid.namespaceURI, "rect");
    const place = { x: (i % columns) * CELL, y: Math.floor(i / columns) * CELL, width: 7.4, height: 7.4, rx: 1.4 };
    for (const [name, value] of Object.entries(place)) setAttribute(cell, name, value);
    return cell;
  }));
}

/**
 * The number of columns that fills the last row best; more for a wider picture.
 *
 * @param {number} total
 * @param {number} ratio
 */
function gridColumns(total, ratio) {
  const area = total * Math.min(2, Math.max(0.7, ratio));
  const least = Math.max(1, Math.ceil(Math.sqrt(area * 0.9)));
  const most = Math.max(least, Math.floor(Math.sqrt(area * 2.2)));
  const left = (/** @type {number} */ columns) => (columns - (total % columns)) % columns;
  let best = least;
  for (let columns = least; columns <= most; columns += 1) if (left(columns) < left(best)) best = columns;
  return best;
}

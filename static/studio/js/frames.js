// @ts-check
/** The places of pictures: their shape, the stored file in them, and the grid of steps before it. */

import { clone, find, setAttribute, setText } from "./dom.js";
import { length } from "./format.js";
import { fill, gettext } from "./i18n.js";

/** @import {Picture, Task} from "./protocol.js" */

const SVG = "http://www.w3.org/2000/svg";
const CELL = 10;
const LEAST_COLUMNS = 4;
/** The longer side of a thumbnail. */
const THUMBNAIL_EDGE = 384;
/** `auto` is the shown width of a lazy image; other browsers take the widest place there is. */
const SIZES = "auto, (max-width: 767px) 90vw, 560px";

/** @typedef {{taskId: string, task: Task, number: number, picture: Picture | null}} Place `number` counts from 1 */

/**
 * One small frame of a card.
 *
 * @param {HTMLElement} frame
 * @param {Place & {current: boolean}} shown
 */
export function paintFrame(frame, { current, ...place }) {
  setAttribute(frame, "data-picture", place.number);
  setAttribute(frame, "data-current", current && place.picture === null);
  setRatio(find(frame, ".frame__ratio", SVGSVGElement), place.task);
  const label = frame.querySelector(".frame__label");
  if (label) setText(label, place.picture ? "" : String(place.number));
  paintStored(frame, place);
}

/**
 * Put the stored picture into its frame, once; take it out when it is not there any more.
 *
 * @param {HTMLElement} frame
 * @param {Place} shown
 */
export function paintStored(frame, { taskId, task, number, picture }) {
  setAttribute(frame, "data-stored", picture !== null);
  const key = picture ? pictureKey(taskId, picture) : "";
  const link = frame.querySelector("a");
  if (link?.dataset.pictureKey !== key) {
    for (const part of frame.querySelectorAll("a, .frame__demo, .frame__heart")) part.remove();
    if (picture) hang(frame, picture, key, pictureAlt(task, number));
  } else if (picture) {
    sharpen(find(link, "img", HTMLImageElement), picture);
  }
  paintHeart(frame, picture?.favourite ?? false);
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
 * @param {string} taskId
 * @param {Picture} picture
 */
export const pictureKey = (taskId, { index }) => `${taskId}:${index}`;

/**
 * @param {HTMLElement} frame
 * @param {Picture} picture
 * @param {string} key
 * @param {string} alt
 */
function hang(frame, picture, key, alt) {
  const link = pictureLink(picture, alt);
  link.dataset.pictureKey = key;
  link.setAttribute("href", picture.url);
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
  find(frame, ".frame__label", HTMLElement).remove();
  setAttribute(frame, "data-stored", true);
  setRatio(find(frame, ".frame__ratio", SVGSVGElement), picture);
  hang(frame, picture, pictureKey(taskId, picture), alt);
  return frame;
}

/**
 * @param {Picture} picture
 * @param {string} alt
 */
function pictureLink(picture, alt) {
  const link = clone("image-template");
  const image = find(link, "img", HTMLImageElement);
  image.width = picture.width;
  image.height = picture.height;
  image.alt = alt;
  image.src = picture.thumbnail_url;
  sharpen(image, picture);
  return link;
}

/**
 * Where a picture is shown larger than its thumbnail, the file itself is loaded.
 *
 * @param {HTMLImageElement} image
 * @param {Picture} picture
 */
function sharpen(image, { url, thumbnail_url: thumbnail, width, height }) {
  if (image.srcset) return;
  const small = Math.round(Math.min(1, THUMBNAIL_EDGE / Math.max(width, height)) * width);
  if (small === width) return;
  image.sizes = SIZES;
  image.srcset = `${thumbnail} ${small}w, ${url} ${width}w`;
}

/**
 * Give a frame the shape of its picture.
 *
 * @param {SVGSVGElement} svg
 * @param {{width: number, height: number}} shape
 */
export function setRatio(svg, { width, height }) {
  setAttribute(svg, "viewBox", `0 0 ${width} ${height}`);
  setAttribute(svg, "width", width);
  setAttribute(svg, "height", height);
}

/**
 * One cell per denoising step of the picture that is being drawn.
 *
 * @param {SVGSVGElement} grid
 * @param {{total: number, done: number, ratio: number}} shown `ratio` is width by height
 */
export function paintGrid(grid, { total, done, ratio }) {
  if (grid.childElementCount !== total) drawGrid(grid, total, ratio);
  const cells = grid.children;
  const before = Number(grid.dataset.filled ?? 0);
  for (let i = Math.min(before, done); i < Math.min(total, Math.max(before, done)); i += 1) {
    setAttribute(cells[i], "data-done", i < done);
  }
  grid.dataset.filled = String(done);
}

/**
 * @param {SVGSVGElement} grid
 * @param {number} total
 * @param {number} ratio
 */
function drawGrid(grid, total, ratio) {
  const columns = gridColumns(total, ratio);
  const rows = Math.max(1, Math.ceil(total / columns));
  const width = Math.max(columns, LEAST_COLUMNS) * CELL;
  setAttribute(grid, "viewBox", `${(columns * CELL - width) / 2} 0 ${width - 2} ${rows * CELL - 2}`);
  const cells = Array.from({ length: total }, (_, i) => {
    const cell = document.createElementNS(SVG, "rect");
    const at = { x: (i % columns) * CELL, y: Math.floor(i / columns) * CELL, width: 7.4, height: 7.4, rx: 1.4 };
    for (const [name, value] of Object.entries(at)) cell.setAttribute(name, String(value));
    return cell;
  });
  grid.replaceChildren(...cells);
  delete grid.dataset.filled;
}

/**
 * As many columns as leave the last row fullest, wider for a wider picture.
 *
 * @param {number} total
 * @param {number} ratio
 */
function gridColumns(total, ratio) {
  const wide = Math.min(2, Math.max(0.7, ratio));
  const least = Math.max(1, Math.ceil(Math.sqrt(total * wide * 0.9)));
  const most = Math.max(least, Math.floor(Math.sqrt(total * wide * 2.2)));
  let best = least;
  for (let columns = least; columns <= most; columns += 1) {
    if ((columns - (total % columns)) % columns < (best - (total % best)) % best) best = columns;
  }
  return best;
}

/** The shape of the picture, while nothing of it exists. @param {Task} task */
export function shapeLabel(task) {
  const divisor = gcd(task.width, task.height);
  const [w, h] = [task.width / divisor, task.height / divisor];
  return w <= 21 && h <= 21 ? `${w}:${h}` : `${task.width} × ${task.height}`;
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
function pictureAlt(task, number) {
  const prompt = length(task.prompt) > 80 ? `${[...task.prompt].slice(0, 79).join("")}…` : task.prompt;
  return fill(gettext("%(prompt)s, picture %(i)s of %(n)s"), { prompt, i: number, n: task.n });
}

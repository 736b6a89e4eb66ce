// @ts-check
/** The grid of steps, shown instead of a picture that is being drawn; loaded with the first one. */

import { setAttribute } from "../lib/dom.js";

const CELL = 10;
const LEAST_COLUMNS = 4;

/**
 * One cell per denoising step of the picture that is being drawn.
 *
 * @param {Element} grid
 * @param {number} total
 * @param {number} done
 * @param {number} ratio width by height
 */
export function paintGrid(grid, total, done, ratio) {
  if (grid.childElementCount !== total) drawGrid(grid, total, ratio);
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

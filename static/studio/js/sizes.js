// @ts-check
/** From a ratio and a resolution to a size the model takes. */

const GRID = 16;

/**
 * Sides in multiples of 16 whose area is close to `scale`².
 *
 * @param {string} ratio "3:4"
 * @param {number} scale side of the square of the same area
 * @returns {[number, number]}
 */
export function outputSize(ratio, scale) {
  const [w, h] = ratio.split(":").map(Number);
  const stretch = Math.sqrt(w / h);
  return [snap(scale * stretch), snap(scale / stretch)];
}

/** @param {number} side */
const snap = (side) => Math.min(2048, Math.max(256, Math.round(side / GRID) * GRID));

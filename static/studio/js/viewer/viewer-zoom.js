// @ts-check
/** Scale and position of a picture on the stage. Pure functions; lengths in CSS pixels. */

/** @typedef {{width: number, height: number}} Size */
/** @typedef {{x: number, y: number}} Point from the middle of the stage */
/** @typedef {{scale: number, x: number, y: number}} Transform of the picture's middle; scale 1 = its own size */
/** @typedef {{stage: Size, picture: Size}} Bounds */

const LARGEST = 8;
/** A small picture is fitted to twice its size at most. */
const LARGEST_FIT = 2;
/** A fitted scale this close to 1 looks like the own size. */
const NEAR = 0.1;

/** @param {Bounds} bounds */
export const fitScale = ({ stage, picture }) =>
  Math.min(stage.width / picture.width, stage.height / picture.height, LARGEST_FIT);

/** @param {Bounds} bounds @returns {Transform} */
export const fitted = (bounds) => ({ scale: fitScale(bounds), x: 0, y: 0 });

/**
 * Zoom by `factor` around the point `at`.
 *
 * @param {Transform} transform
 * @param {number} factor
 * @param {Point} at
 * @param {Bounds} bounds
 * @returns {Transform}
 */
export function zoomed(transform, factor, at, bounds) {
  const least = Math.min(1, fitScale(bounds));
  const scale = Math.min(LARGEST, Math.max(least, transform.scale * factor));
  const grown = scale / transform.scale;
  return clamped({ scale, x: at.x - (at.x - transform.x) * grown, y: at.y - (at.y - transform.y) * grown }, bounds);
}

/**
 * Keep the edges of a large picture outside of the stage.
 *
 * @param {Transform} transform
 * @param {Bounds} bounds
 * @returns {Transform}
 */
export function clamped({ scale, x, y }, { stage, picture }) {
  const far = Math.max(0, (picture.width * scale - stage.width) / 2);
  const down = Math.max(0, (picture.height * scale - stage.height) / 2);
  return { scale, x: Math.min(far, Math.max(-far, x)), y: Math.min(down, Math.max(-down, y)) };
}

/** Whether there is more of the picture than the stage shows. @param {Transform} transform @param {Bounds} bounds */
export const isLarger = ({ scale }, { stage, picture }) =>
  picture.width * scale > stage.width + 1 || picture.height * scale > stage.height + 1;

/** @param {Transform} transform @param {Bounds} bounds */
export const isFitted = ({ scale }, bounds) => Math.abs(scale / fitScale(bounds) - 1) < 0.001;

/**
 * The other scale: the picture's own size, or twice fitted where that is the same; and back to fitted.
 *
 * @param {Transform} transform
 * @param {Bounds} bounds
 */
export function toggled(transform, bounds) {
  const fit = fitScale(bounds);
  if (!isFitted(transform, bounds)) return fit;
  if (Math.abs(fit - 1) <= NEAR) return 2;
  return fit < 1 ? 1 : fit * 2;
}

// @ts-check
/** Where a picture lies on the stage: arithmetic alone. Lengths in CSS pixels. */

/** @typedef {{width: number, height: number}} Size */
/** @typedef {{x: number, y: number}} Point from the middle of the stage */
/** @typedef {{scale: number, x: number, y: number}} Place of the picture's middle; scale 1 = its own size */
/** @typedef {{stage: Size, picture: Size}} Bounds */

const LARGEST = 8;
/** A small picture fills the stage up to twice its size. */
const LARGEST_FIT = 2;
/** Nearer to its own size than this, "own size" would not be seen to do anything. */
const NEAR = 0.1;

/** @param {Bounds} bounds */
export const fitScale = ({ stage, picture }) =>
  Math.min(stage.width / picture.width, stage.height / picture.height, LARGEST_FIT);

/** @param {Bounds} bounds @returns {Place} */
export const fitted = (bounds) => ({ scale: fitScale(bounds), x: 0, y: 0 });

/**
 * Larger or smaller by `factor`; what lies at `at` stays there.
 *
 * @param {Place} place
 * @param {number} factor
 * @param {Point} at
 * @param {Bounds} bounds
 * @returns {Place}
 */
export function zoomed(place, factor, at, bounds) {
  const least = Math.min(1, fitScale(bounds));
  const scale = Math.min(LARGEST, Math.max(least, place.scale * factor));
  const grown = scale / place.scale;
  return held({ scale, x: at.x - (at.x - place.x) * grown, y: at.y - (at.y - place.y) * grown }, bounds);
}

/**
 * No edge of the picture comes further in than the edge of the stage.
 *
 * @param {Place} place
 * @param {Bounds} bounds
 * @returns {Place}
 */
export function held({ scale, x, y }, { stage, picture }) {
  const far = Math.max(0, (picture.width * scale - stage.width) / 2);
  const down = Math.max(0, (picture.height * scale - stage.height) / 2);
  return { scale, x: Math.min(far, Math.max(-far, x)), y: Math.min(down, Math.max(-down, y)) };
}

/** Whether there is more of the picture than the stage shows. @param {Place} place @param {Bounds} bounds */
export const isLarger = ({ scale }, { stage, picture }) =>
  picture.width * scale > stage.width + 1 || picture.height * scale > stage.height + 1;

/** @param {Place} place @param {Bounds} bounds */
export const isFitted = ({ scale }, bounds) => Math.abs(scale / fitScale(bounds) - 1) < 0.001;

/**
 * The other scale: the picture's own size, or twice fitted where that is the same; and back to fitted.
 *
 * @param {Place} place
 * @param {Bounds} bounds
 */
export function toggled(place, bounds) {
  const fit = fitScale(bounds);
  if (!isFitted(place, bounds)) return fit;
  if (Math.abs(fit - 1) <= NEAR) return 2;
  return fit < 1 ? 1 : fit * 2;
}

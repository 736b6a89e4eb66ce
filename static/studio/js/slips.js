// @ts-check
/** The seven slips of a card. */

import { Face, setAttribute, setProperty } from "./dom.js";

/** @import {View} from "./describe.js" */
/** @import {StepName, Task} from "./protocol.js" */

/** A step that is not known to take any time still has a slip. */
const LEAST_WEIGHT = 0.02;

/**
 * A step is drawn as wide as it takes long.
 *
 * @param {HTMLElement} slip
 * @param {Task} task
 */
export function weigh(slip, { expected }) {
  const weight = expected[/** @type {StepName} */ (slip.dataset.step)] || LEAST_WEIGHT;
  setProperty(slip, "--weight", weight.toFixed(3));
}

export class Slips {
  #slips;

  /**
   * @param {HTMLElement} card
   * @param {Task} task
   */
  constructor(card, task) {
    this.#slips = [.../** @type {NodeListOf<HTMLElement>} */ (card.querySelectorAll(".slip"))].map((item) => {
      weigh(item, task);
      return { item, bar: /** @type {HTMLElement} */ (item.firstElementChild), face: new Face(item) };
    });
  }

  /** @param {View} view */
  paint({ marks, current, times, ...view }) {
    this.#slips.forEach(({ item, bar, face }, i) => {
      const isCurrent = i === current;
      const [fill, head] = isCurrent ? [view.fill ?? 0, view.head ?? 0] : [0, 0];
      const live = isCurrent && marks.layout !== "ended";
      face.mark({ current: isCurrent });
      face.tell({ time: times[i] });
      if (face.isNew("live", live)) setAttribute(item, "aria-current", live ? "step" : null);
      if (face.isNew("fill", fill)) setProperty(bar, "--fill", fill.toFixed(4));
      if (face.isNew("head", head)) setProperty(bar, "--head", head.toFixed(3));
    });
  }
}

// @ts-check
/** The seven slips of a card, and a bare row for each attempt before the one it is in. */

import { Painted, clone, find, part, setAttribute, setProperty, setText } from "./dom.js";
import { fill, gettext } from "./i18n.js";

/** @import {Slip, View} from "./describe.js" */
/** @import {Interruption, StepName, Task} from "./protocol.js" */

/** A step that is not known to take any time still has a slip. */
const LEAST_WEIGHT = 0.02;

export class Slips {
  #past;
  #task;
  #painted = new Painted();
  /** @type {{item: Element, bar: HTMLElement, time: HTMLElement}[]} */
  #slips;

  /**
   * @param {HTMLElement} card
   * @param {Task} task
   */
  constructor(card, task) {
    this.#task = task;
    this.#past = part(card, "past");
    this.#slips = [...card.querySelectorAll(".slip")].map((item) => (
      { item, bar: find(item, ".slip__bar", HTMLElement), time: part(item, "time") }
    ));
    for (const { item } of this.#slips) {
      const slip = /** @type {HTMLElement} */ (item);
      const weight = this.#weight(slip.dataset.step);
      setAttribute(slip, "data-weight", weight);
      setProperty(slip, "--weight", weight);
    }
  }

  /** How wide a step is drawn. @param {string} [step] */
  #weight(step) {
    return (this.#task.expected[/** @type {StepName} */ (step)] || LEAST_WEIGHT).toFixed(3);
  }

  /** @param {View} view */
  paint(view) {
    view.slips.forEach((slip, i) => this.#paintSlip(i, slip, view));
  }

  /**
   * @param {number} i
   * @param {Slip} slip
   * @param {View} view
   */
  #paintSlip(i, { step, current, time: told }, view) {
    const { item, bar, time } = this.#slips[i];
    const live = current && view.layout !== "ended";
    const measured = (current ? (view.fill ?? 0) : 0).toFixed(4);
    const head = (current ? (view.head ?? 0) : 0).toFixed(3);
    if (this.#painted.isNew(`current ${step}`, current)) setAttribute(item, "data-current", current);
    if (this.#painted.isNew(`live ${step}`, live)) setAttribute(item, "aria-current", live ? "step" : null);
    if (this.#painted.isNew(`fill ${step}`, measured)) setProperty(bar, "--fill", measured);
    if (this.#painted.isNew(`head ${step}`, head)) setProperty(bar, "--head", head);
    if (this.#painted.isNew(`time ${step}`, told)) setText(time, told);
  }

  /** @param {Interruption[]} interruptions */
  paintPast(interruptions) {
    if (!this.#painted.isNew("past", interruptions)) return;
    const past = this.#past;
    while (past.children.length > interruptions.length) past.lastElementChild?.remove();
    interruptions.forEach((interruption, i) => {
      const row = past.children[i] ?? past.appendChild(clone("past-template"));
      setAttribute(row, "data-step", interruption.step);
      const label = fill(gettext("Attempt %(n)s was interrupted"), { n: interruption.attempt });
      setAttribute(row, "aria-label", label);
      for (const each of row.children) {
        const cell = /** @type {HTMLElement} */ (each);
        setProperty(cell, "--weight", this.#weight(cell.dataset.step));
        setAttribute(cell, "data-current", cell.dataset.step === interruption.step);
      }
    });
  }
}

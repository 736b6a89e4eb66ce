// @ts-check
/** One task card. The same function paints a card the server rendered and every later state of it. */

import { describe } from "./describe.js";
import { clone, find, part, setAttribute, setProperty, setText } from "./dom.js";
import { timeOfDay } from "./format.js";
import { paintFrame, paintGrid, paintStored, setRatio, shapeLabel } from "./frames.js";
import { fill, gettext } from "./i18n.js";
import { STEPS } from "./protocol.js";

/** @import {View} from "./describe.js" */
/** @import {QueuePlace, Task, TaskState} from "./protocol.js" */

/** Blocks drawn for a place in line; further back it is told by the number alone. */
const LINE_BLOCKS = 8;
/** The head of the slip breathes only while events arrive. */
const FRESH_SECONDS = 4;
/** The fill takes as long as the last two measurements were apart, within these bounds. */
const PACE_MS = { least: 120, most: 900 };

export class Card {
  /** @type {HTMLElement} */
  element;
  /** @type {Task} */
  #task;
  /** @type {TaskState} */
  #state;
  /** @type {QueuePlace | null} */
  #place = null;
  #staleSince = /** @type {number | null} */ (null);
  #measuredAt = 0;
  /** @type {View["layout"] | null} */
  #heldLayout = null;

  /**
   * @param {HTMLElement} element
   * @param {Task} task
   * @param {TaskState} state
   */
  constructor(element, task, state) {
    this.element = element;
    this.#task = task;
    this.#state = state;
    this.#paintTask();
  }

  /**
   * @param {string} taskId
   * @param {Task} task
   * @param {TaskState} state
   * @param {string} taskUrl
   */
  static create(taskId, task, state, taskUrl) {
    const element = clone("card-template");
    element.id = `task-${taskId}`;
    element.dataset.taskId = taskId;
    const prompt = part(element, "prompt");
    prompt.id = `prompt-${taskId}`;
    element.setAttribute("aria-labelledby", prompt.id);
    for (const link of element.querySelectorAll('a[data-part="link"], a[data-part="details"]')) {
      link.setAttribute("href", taskUrl);
    }
    return new Card(element, task, state);
  }

  get taskId() {
    return this.element.dataset.taskId ?? "";
  }

  get task() {
    return this.#task;
  }

  get state() {
    return this.#state;
  }

  /**
   * @param {TaskState} state
   * @param {QueuePlace | null} place
   * @param {number} now Unix seconds of the server's clock
   */
  show(state, place, now) {
    if (state.fraction !== this.#state.fraction) {
      const gap = (now - this.#measuredAt) * 1000;
      const pace = Math.min(PACE_MS.most, Math.max(PACE_MS.least, gap));
      setProperty(this.element, "--pace", `${Math.round(pace)}ms`);
      this.#measuredAt = now;
    }
    this.#state = state;
    this.#place = place;
    this.tick(now);
  }

  /**
   * From `since` on nothing new could be heard; null = connected.
   *
   * @param {number | null} since Unix seconds
   * @param {number} now
   */
  setStale(since, now) {
    this.#staleSince = since;
    this.tick(now);
  }

  /** Keep the layout while the pointer is over the card, so that nothing moves under it. */
  hold() {
    this.#heldLayout ??= /** @type {View["layout"]} */ (this.element.dataset.layout ?? "line");
  }

  /** @param {number} now */
  release(now) {
    this.#heldLayout = null;
    this.tick(now);
  }

  /** Paint everything that follows from state and clock. @param {number} now */
  tick(now) {
    const stale = this.#staleSince !== null && this.#state.ended_at === null;
    const at = stale ? (this.#staleSince ?? now) : now;
    const view = describe(this.#task, this.#state, { place: this.#place, now: at });
    const { element } = this;
    setAttribute(element, "data-status", view.status);
    setAttribute(element, "data-step", view.step);
    setAttribute(element, "data-layout", this.#heldLayout ?? view.layout);
    setAttribute(element, "data-basis", view.basis);
    setAttribute(element, "data-stopping", view.stopping);
    setAttribute(element, "data-waiting", view.waiting);
    setAttribute(element, "data-overdue", view.overdue && !stale);
    setAttribute(element, "data-stale", stale);
    setAttribute(element, "data-fresh", !stale && now - (this.#state.updated_at ?? 0) < FRESH_SECONDS);
    this.#paintFigures(view, stale);
    this.#paintNote(view);
    this.#paintLine(view);
    this.#paintSlips(view);
    this.#paintPast();
    this.#paintPictures(view);
    this.#paintMeta(view);
    find(element, '[data-action="cancel"]', HTMLButtonElement).hidden = !view.canCancel;
    find(element, '[data-action="retry"]', HTMLButtonElement).hidden = !view.canRetry;
  }

  /** What never changes. */
  #paintTask() {
    const { element } = this;
    const task = this.#task;
    setText(part(element, "link"), task.prompt);
    setAttribute(element, "data-pictures", task.n);
    setAttribute(element, "data-shape", task.height > task.width ? "tall" : "wide");
    setRatio(find(element, '[data-part="ratio"]', SVGSVGElement), task);
    for (const slip of element.querySelectorAll("[data-weight]")) {
      const step = /** @type {HTMLElement} */ (slip).dataset.step ?? "";
      const seconds = task.expected[/** @type {keyof Task["expected"]} */ (step)] || 0.02;
      setAttribute(slip, "data-weight", seconds.toFixed(3));
      setProperty(/** @type {HTMLElement} */ (slip), "--weight", seconds.toFixed(3));
    }
  }

  /** @param {View} view */
  #paintMeta(view) {
    const meta = part(this.element, "meta");
    while (meta.children.length > view.meta.length) meta.lastElementChild?.remove();
    view.meta.forEach((text, i) => {
      const span = meta.children[i] ?? meta.appendChild(document.createElement("span"));
      setText(span, text);
      setAttribute(span, "data-placeholder", null);
    });
  }

  /**
   * @param {View} view
   * @param {boolean} stale
   */
  #paintFigures(view, stale) {
    const { element } = this;
    setText(part(element, "percent"), view.percent);
    const basis = part(element, "basis");
    setText(basis, stale ? gettext("last known") : view.basisLabel);
    setAttribute(basis, "data-basis", stale ? "stale" : view.basis);
    const bar = part(element, "bar");
    setAttribute(bar, "aria-valuenow", view.percent);
    setAttribute(bar, "aria-valuetext", view.valueText);
    const asked = gettext("Stop was requested; whether it has stopped is known after reconnect");
    setText(part(element, "headline"), stale && view.stopping ? asked : view.headline);
    setText(part(element, "remaining"), stale && view.estimated ? gettext("time left not known now") : view.remaining);
    part(element, "remaining-basis").hidden = !view.estimated || stale;
    const mark = part(element, "stale");
    mark.hidden = !stale;
    if (stale) setText(mark, fill(gettext("as of %(time)s"), { time: timeOfDay(this.#staleSince ?? 0) }));
  }

  /** @param {View} view */
  #paintNote(view) {
    const note = part(this.element, "note");
    note.hidden = view.note === null;
    if (!view.note) return;
    setText(part(note, "note-lead"), view.note.lead);
    setText(part(note, "note-text"), view.note.text);
  }

  /** @param {View} view */
  #paintLine(view) {
    const line = part(this.element, "line");
    const blocks = Math.min(view.position, LINE_BLOCKS);
    if (line.children.length !== blocks) {
      line.replaceChildren(...Array.from({ length: blocks }, () => document.createElement("span")));
    }
  }

  /** @param {View} view */
  #paintSlips(view) {
    for (const slip of view.slips) {
      const item = find(this.element, `.slip[data-step="${slip.step}"]`, HTMLLIElement);
      setAttribute(item, "data-current", slip.current);
      setAttribute(item, "aria-current", slip.current && view.layout !== "ended" ? "step" : null);
      const bar = find(item, ".slip__bar", HTMLElement);
      const measured = slip.current ? (view.fill ?? 0) : 0;
      setProperty(bar, "--fill", measured.toFixed(4));
      setProperty(bar, "--head", slip.current ? (view.head ?? 0).toFixed(3) : "0");
      setText(part(item, "time"), slip.time);
    }
  }

  /** One bare row for each attempt that was interrupted. */
  #paintPast() {
    const past = part(this.element, "past");
    const { interruptions } = this.#state;
    while (past.children.length > interruptions.length) past.lastElementChild?.remove();
    interruptions.forEach((interruption, i) => {
      const row = past.children[i] ?? past.appendChild(clone("past-template"));
      setAttribute(row, "data-step", interruption.step);
      const label = fill(gettext("Attempt %(n)s was interrupted"), { n: interruption.attempt });
      setAttribute(row, "aria-label", label);
      for (const cell of row.children) {
        const step = /** @type {HTMLElement} */ (cell).dataset.step ?? "";
        const seconds = this.#task.expected[/** @type {keyof Task["expected"]} */ (step)] || 0.02;
        setProperty(/** @type {HTMLElement} */ (cell), "--weight", seconds.toFixed(3));
        setAttribute(cell, "data-current", step === interruption.step);
      }
    });
  }

  /** @param {View} view */
  #paintPictures(view) {
    const list = part(this.element, "pictures");
    const pictures = [...this.#state.images].sort((a, b) => a.index - b.index);
    while (list.children.length > this.#task.n) list.lastElementChild?.remove();
    for (let i = 0; i < this.#task.n; i += 1) {
      const item = /** @type {HTMLElement} */ (list.children[i] ?? list.appendChild(clone("frame-template")));
      const number = i + 1;
      const current = this.#state.ended_at === null && number === this.#state.image;
      paintFrame(item, { task: this.#task, number, picture: pictures[i] ?? null, current });
    }
    setText(part(this.element, "frame-label"), shapeLabel(this.#task));
    const single = this.#task.n === 1 && pictures.length === 1 ? pictures[0] : null;
    paintStored(part(this.element, "frame"), { task: this.#task, number: 1, picture: single });
    const drawing = view.layout === "live" && single === null;
    paintGrid(find(this.element, '[data-part="grid"]', SVGSVGElement), {
      total: drawing ? (this.#state.total ?? 0) : 0,
      done: this.#state.done ?? 0,
      ratio: this.#task.width / this.#task.height,
    });
  }

}

/** How many of the seven slips have passed. @param {TaskState} state */
export const slipsPassed = (state) =>
  state.status === "completed" ? 7 : state.status === "queued" ? 1 : Math.max(1, STEPS.indexOf(state.step));

// @ts-check
/** One task card. The same function paints a card the server rendered and every later state of it. */

import { describe } from "./describe.js";
import { Painted, clone, find, part, setAttribute, setProperty, setText } from "./dom.js";
import { timeOfDay } from "./format.js";
import { paintFrame, paintGrid, paintStored, pictureKey, setRatio, shapeLabel } from "./frames.js";
import { fill, gettext } from "./i18n.js";
import { STEPS } from "./protocol.js";
import { Slips } from "./slips.js";

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
  taskId;
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
  #painted = new Painted();
  /** @type {Map<string, HTMLElement>} */
  #parts = new Map();
  #slips;

  /**
   * @param {HTMLElement} element
   * @param {Task} task
   * @param {TaskState} state
   */
  constructor(element, task, state) {
    this.element = element;
    this.taskId = element.dataset.taskId ?? "";
    this.#slips = new Slips(element, task);
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
    for (const name of ["link", "details", "details-too"]) part(element, name).setAttribute("href", taskUrl);
    return new Card(element, task, state);
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
    this.#mark("data-status", view.status);
    this.#mark("data-step", view.step);
    this.#mark("data-layout", this.#heldLayout ?? view.layout);
    this.#mark("data-basis", view.basis);
    this.#mark("data-stopping", view.stopping);
    this.#mark("data-waiting", view.waiting);
    this.#mark("data-overdue", view.overdue && !stale);
    this.#mark("data-stale", stale);
    this.#mark("data-fresh", !stale && now - (this.#state.updated_at ?? 0) < FRESH_SECONDS);
    this.#paintFigures(view, stale);
    this.#paintNote(view);
    this.#paintLine(view);
    this.#slips.paint(view);
    this.#slips.paintPast(this.#state.interruptions);
    this.#paintPictures(view);
    this.#paintMeta(view);
    this.#hide('[data-action="cancel"]', !view.canCancel);
    this.#hide('[data-action="retry"]', !view.canRetry);
  }

  /** @param {string} name */
  #part(name) {
    let found = this.#parts.get(name);
    if (!found) this.#parts.set(name, (found = part(this.element, name)));
    return found;
  }

  /**
   * @param {string} attribute of the card
   * @param {string | boolean | number | null} value
   */
  #mark(attribute, value) {
    if (this.#painted.isNew(attribute, value)) setAttribute(this.element, attribute, value);
  }

  /**
   * @param {string} name of a part
   * @param {string} text
   */
  #tell(name, text) {
    if (this.#painted.isNew(`text ${name}`, text)) setText(this.#part(name), text);
  }

  /**
   * @param {string} selector
   * @param {boolean} hidden
   */
  #hide(selector, hidden) {
    if (this.#painted.isNew(`hidden ${selector}`, hidden)) find(this.element, selector, HTMLElement).hidden = hidden;
  }

  /** What never changes. */
  #paintTask() {
    const { element } = this;
    const task = this.#task;
    setText(part(element, "link"), task.prompt);
    setAttribute(element, "data-pictures", task.n);
    setAttribute(element, "data-shape", task.height > task.width ? "tall" : "wide");
    setRatio(find(element, '[data-part="ratio"]', SVGSVGElement), task);
  }

  /** @param {View} view */
  #paintMeta(view) {
    if (!this.#painted.isNew("meta", view.meta)) return;
    const meta = this.#part("meta");
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
    this.#tell("percent", view.percent);
    this.#tell("basis", stale ? gettext("last known") : view.basisLabel);
    if (this.#painted.isNew("basis", stale ? "stale" : view.basis)) {
      setAttribute(this.#part("basis"), "data-basis", stale ? "stale" : view.basis);
    }
    if (this.#painted.isNew("bar", view.valueText)) {
      setAttribute(this.#part("bar"), "aria-valuenow", view.percent);
      setAttribute(this.#part("bar"), "aria-valuetext", view.valueText);
    }
    const asked = gettext("Stop was requested; whether it has stopped is known after reconnect");
    this.#tell("headline", stale && view.stopping ? asked : view.headline);
    this.#tell("remaining", stale && view.estimated ? gettext("time left not known now") : view.remaining);
    this.#hide('[data-part="remaining-basis"]', !view.estimated || stale);
    this.#hide('[data-part="stale"]', !stale);
    if (stale) this.#tell("stale", fill(gettext("as of %(time)s"), { time: timeOfDay(this.#staleSince ?? 0) }));
  }

  /** @param {View} view */
  #paintNote({ note }) {
    this.#hide('[data-part="note"]', note === null);
    if (!note) return;
    this.#tell("note-lead", note.lead);
    this.#tell("note-text", note.text);
  }

  /** @param {View} view */
  #paintLine(view) {
    const blocks = Math.min(view.position, LINE_BLOCKS);
    if (!this.#painted.isNew("line", blocks)) return;
    this.#part("line").replaceChildren(...Array.from({ length: blocks }, () => document.createElement("span")));
  }

  /** @param {View} view */
  #paintPictures(view) {
    const task = this.#task;
    const { images, done, total } = this.#state;
    const drawn = this.#state.ended_at === null ? this.#state.image : 0;
    const stored = this.#painted.isNew("images", images);
    if (this.#painted.isNew("drawn", drawn) || stored) this.#paintFrames(drawn);
    if (stored) this.#paintLinks();
    const drawing = view.layout === "live" && !(task.n === 1 && images.length === 1);
    const steps = drawing ? (total ?? 0) : 0;
    if (!this.#painted.isNew("grid", `${steps} ${done}`)) return;
    paintGrid(find(this.element, '[data-part="grid"]', SVGSVGElement), {
      total: steps,
      done: done ?? 0,
      ratio: task.width / task.height,
    });
  }

  /** @param {number} drawn the picture that is being drawn; 0 = none */
  #paintFrames(drawn) {
    const [task, taskId] = [this.#task, this.taskId];
    const list = this.#part("pictures");
    while (list.children.length > task.n) list.lastElementChild?.remove();
    for (let number = 1; number <= task.n; number += 1) {
      const frame = list.children[number - 1] ?? list.appendChild(clone("frame-template"));
      const picture = this.#state.images.find(({ index }) => index === number) ?? null;
      paintFrame(/** @type {HTMLElement} */ (frame), { taskId, task, number, picture, current: number === drawn });
    }
    setText(this.#part("frame-label"), shapeLabel(task));
    const single = task.n === 1 ? (this.#state.images[0] ?? null) : null;
    paintStored(this.#part("frame"), { taskId, task, number: 1, picture: single });
  }

  /** Where the links of a finished card lead. */
  #paintLinks() {
    const { images } = this.#state;
    setAttribute(this.element, "data-kept", images.length);
    if (images.length === 0) return;
    const keys = images.map((picture) => pictureKey(this.taskId, picture));
    setAttribute(this.#part("vary"), "href", `/?from=${keys[0]}`);
    setAttribute(this.#part("download"), "href", `${images[0].url}?download=1`);
    const compared = `/compare/?${keys.map((key) => `picture=${key}`).join("&")}`;
    for (const name of ["compare", "compare-too"]) setAttribute(this.#part(name), "href", compared);
  }
}

/** How many of the seven slips have passed. @param {TaskState} state */
export const slipsPassed = (state) =>
  state.status === "completed" ? 7 : state.status === "queued" ? 1 : Math.max(1, STEPS.indexOf(state.step));

// @ts-check
/** One task card. The same function paints a card the server rendered and every later state of it. */

import { at } from "./base.js";
import { describe } from "./describe.js";
import { Face, clone, find, part, setAttribute, setProperty, setText } from "./dom.js";
import { fillFrame, paintFrames, paintGrid, pictureKey, setRatio, shapeLabel } from "./frames.js";
import { meta, valueText } from "./sentences.js";
import { Slips } from "./slips.js";

/** @import {Layout, View} from "./describe.js" */
/** @import {QueuePlace, Task, TaskState} from "./protocol.js" */

/** Blocks drawn for a place in line; further back it is told by the number alone. */
const LINE_BLOCKS = 8;
/** The fill takes as long as the last two measurements were apart, within these bounds. */
const PACE_LEAST_MS = 120;
const PACE_MOST_MS = 900;

export class Card {
  element;
  taskId;
  task;
  /** As it was told last. @type {TaskState} */
  state;
  /** @type {QueuePlace | null} */
  place = null;
  /** Unix seconds; from then on nothing new could be heard. @type {number | null} */
  staleSince = null;
  /** Unix seconds. */
  paintedAt = 0;
  #measuredAt = 0;
  /** @type {Layout | null} */
  #heldLayout = null;
  #face;
  #slips;

  /**
   * @param {HTMLElement} element
   * @param {Task} task
   * @param {TaskState} state
   */
  constructor(element, task, state) {
    this.element = element;
    this.taskId = element.dataset.taskId ?? "";
    this.task = task;
    this.state = state;
    complete(element);
    for (const name of ["link", "details", "details-too"]) setAttribute(part(element, name), "href", at(`/tasks/${this.taskId}/`));
    this.#face = new Face(element);
    this.#slips = new Slips(element, task);
  }

  /**
   * @param {string} taskId
   * @param {Task} task
   * @param {TaskState} state
   */
  static create(taskId, task, state) {
    const element = clone("card-template");
    const prompt = part(element, "prompt");
    element.id = `task-${taskId}`;
    element.dataset.taskId = taskId;
    prompt.id = `prompt-${taskId}`;
    setAttribute(element, "aria-labelledby", prompt.id);
    setAttribute(element, "data-pictures", task.n);
    setAttribute(element, "data-shape", task.height > task.width ? "tall" : "wide");
    setText(part(element, "link"), task.prompt);
    setRatio(part(element, "frame"), task);
    return new Card(element, task, state);
  }

  /** Keep the layout while the pointer is over the card, so that nothing moves under it. */
  hold() {
    this.#heldLayout ??= /** @type {Layout} */ (this.element.dataset.layout ?? "line");
  }

  release() {
    this.#heldLayout = null;
  }

  /** Paint everything that follows from state and clock. @param {number} now Unix seconds of the server's clock */
  paint(now) {
    const { task, state } = this;
    const face = this.#face;
    const view = describe(task, state, { place: this.place, now, staleSince: this.staleSince });
    const { marks, texts, position } = view;
    this.paintedAt = now;
    if (face.isNew("fraction", state.fraction)) this.#pace(now);
    face.mark({ ...marks, layout: this.#heldLayout ?? marks.layout });
    face.tell(texts);
    face.reveal(view.shown);
    if (face.isNew("bar", `${texts.percent} ${state.step}`)) {
      setAttribute(face.part("bar"), "aria-valuenow", texts.percent);
      setAttribute(face.part("bar"), "aria-valuetext", valueText(state));
    }
    setAttribute(face.part("basis"), "data-basis", marks.stale ? "stale" : marks.basis);
    const blocks = Math.min(position, LINE_BLOCKS);
    if (face.isNew("line", blocks)) {
      face.part("line").replaceChildren(...Array.from({ length: blocks }, () => document.createElement("span")));
    }
    this.#slips.paint(view);
    const { interruptions } = state;
    if (face.isNew("past", interruptions) && interruptions.length > 0) {
      import("./slips-past.js").then(({ paintPast }) => paintPast(face.part("past"), task, interruptions));
    }
    this.#paintPictures(marks);
    const seed = state.seed ?? task.seed;
    if (face.isNew("seed", seed)) this.#paintMeta(seed);
  }

  /** @param {number} now */
  #pace(now) {
    const gap = (now - this.#measuredAt) * 1000;
    this.#measuredAt = now;
    setProperty(this.element, "--pace", `${Math.round(Math.min(PACE_MOST_MS, Math.max(PACE_LEAST_MS, gap)))}ms`);
  }

  /** @param {number | null} seed */
  #paintMeta(seed) {
    this.#face.part("meta").replaceChildren(...meta(this.task, seed).map((text) => {
      const span = document.createElement("span");
      span.textContent = text;
      return span;
    }));
  }

  /** @param {View["marks"]} marks */
  #paintPictures({ layout }) {
    const { task, state } = this;
    const { images, done, total } = state;
    const face = this.#face;
    const single = task.n === 1;
    const stored = face.isNew("images", images);
    // its own place is marked while a picture is being drawn
    if (face.isNew("drawn", layout === "ended" ? 0 : state.image) || stored) paintFrames(face.part("pictures"), this);
    if (stored) {
      setText(face.part("frame-label"), shapeLabel(task));
      fillFrame(face.part("frame"), this, 1, single ? images[0] : undefined);
      this.#paintLinks();
    }
    const steps = layout === "live" && !(single && images.length > 0) ? (total ?? 0) : 0;
    if (face.isNew("grid", `${steps} ${done}`)) {
      paintGrid(find(this.element, ".frame__grid", SVGSVGElement), steps, done ?? 0, task.width / task.height);
    }
  }

  /** Where the links of a finished card lead. */
  #paintLinks() {
    const { images } = this.state;
    setAttribute(this.element, "data-kept", images.length);
    if (images.length === 0) return;
    const keys = images.map((picture) => pictureKey(this.taskId, picture));
    const compared = at(`/compare/?${keys.map((key) => `picture=${key}`).join("&")}`);
    const vary = at(`/?from=${keys[0]}`);
    const links = { vary, "vary-small": `${vary}&small=1`, download: `${images[0].url}?download=1`, compare: compared, "compare-too": compared };
    for (const [name, url] of Object.entries(links)) setAttribute(this.#face.part(name), "href", url);
  }
}

/** What the server left out of the first paint is taken from the template. @param {HTMLElement} element */
function complete(element) {
  if (element.querySelector(".menu__panel > *")) return;
  const areas = ".slip, .menu__panel";
  const whole = clone("card-template").querySelectorAll(areas);
  element.querySelectorAll(areas).forEach((area, i) => area.append(...[...whole[i].children].slice(area.childElementCount)));
}

// @ts-check
/** The card of a task; one function paints cards of the server and every later state. */

import { describe, meta, stepWeight, valueText } from "./card-view.js";
import { gettext } from "../lib/i18n.js";
import { Parts, clone, find, part, setAttribute, setProperty, setText, siteUrl } from "../lib/dom.js";
import { fillFrame, paintFrames, paintGrid, setRatio, shapeLabel } from "./picture-frames.js";
import { pictureKey } from "../connection/protocol.js";

/** @import {Layout, View} from "./card-view.js" */
/** @import {Picture, QueueEntry, StepName, Task, TaskState} from "../connection/protocol.js" */

/**
 * Set the width of a step in proportion to its expected duration.
 *
 * @param {HTMLElement} item
 * @param {Task} task
 */
function setWeight(item, task) {
  setProperty(item, "--weight", stepWeight(task, /** @type {StepName} */ (item.dataset.step)).toFixed(3));
}

/**
 * Find the seven steps of a card.
 *
 * @param {HTMLElement} card
 * @param {Task} task
 * @returns {(view: View) => void} paints them
 */
function findSteps(card, task) {
  const steps = [.../** @type {NodeListOf<HTMLElement>} */ (card.querySelectorAll(".step"))].map((item) => {
    setWeight(item, task);
    return { item, bar: /** @type {HTMLElement} */ (item.firstElementChild), parts: new Parts(item) };
  });
  return ({ marks, current, times, ...view }) => steps.forEach(({ item, bar, parts }, i) => {
    const isCurrent = i === current;
    const [fill, head] = isCurrent ? [view.fill ?? 0, view.head ?? 0] : [0, 0];
    const live = isCurrent && marks.layout !== "ended";
    parts.setData({ current: isCurrent });
    parts.setTexts({ time: times[i] });
    if (parts.hasChanged("live", live)) setAttribute(item, "aria-current", live ? "step" : null);
    if (parts.hasChanged("fill", fill)) setProperty(bar, "--fill", fill.toFixed(4));
    if (parts.hasChanged("head", head)) setProperty(bar, "--head", head.toFixed(3));
  });
}

/** Duration of the fill's transition: the time between the last two measurements, within these bounds. */
const PACE_LEAST_MS = 120;
const PACE_MOST_MS = 900;

/** @typedef {ReturnType<typeof createCard>} Card */

/**
 * A card for an element that is in the page or will be inserted.
 *
 * @param {HTMLElement} element
 * @param {Task} task
 * @param {TaskState} state
 */
export function createCard(element, task, state) {
  const { taskId = "" } = element.dataset;
  let measuredAt = 0;
  /** @type {Layout | null} */
  let heldLayout = null;

  const card = {
    element, taskId, task,
    /** The newest state. */
    state,
    entry: /** @type {QueueEntry | null} */ (null),
    /** When the connection was lost, in Unix seconds; null = connected. */
    staleSince: /** @type {number | null} */ (null),
    /** Unix seconds. */
    paintedAt: 0,
    /** Keep the layout while the pointer is over the card, so that nothing moves under it. */
    hold: () => void (heldLayout ??= /** @type {Layout} */ (element.dataset.layout ?? "queued")),
    release: () => void (heldLayout = null),
    paint,
  };

  // the menu needs scripts, and is always left out
  if (!element.querySelector("[data-menu]")) complete(element, clone("card-template"));
  setRatio(part(element, "frame"), task);
  for (const name of ["link", "details", "details-too"]) setAttribute(part(element, name), "href", siteUrl(`/tasks/${taskId}/`));
  const parts = new Parts(element);
  const paintSteps = findSteps(element, task);

  /** Paint everything that follows from state and clock. @param {number} now Unix seconds of the server's clock */
  function paint(now) {
    const { state: newestState, entry, staleSince } = card;
    const view = describe(task, newestState, { entry, now, staleSince });
    const { marks, texts, blocks } = view;
    card.paintedAt = now;
    if (parts.hasChanged("fraction", newestState.fraction)) setPace(now);
    parts.setData({ ...marks, layout: heldLayout ?? marks.layout });
    parts.setTexts(texts);
    parts.setShown(view.shown);
    if (parts.hasChanged("bar", `${texts.percent} ${newestState.step}`)) {
      setAttribute(parts.get("bar"), "aria-valuenow", texts.percent);
      setAttribute(parts.get("bar"), "aria-valuetext", valueText(newestState));
    }
    setAttribute(parts.get("basis"), "data-basis", marks.stale ? "stale" : marks.basis);
    if (parts.hasChanged("blocks", blocks)) {
      parts.get("blocks").replaceChildren(...spans(Array(blocks).fill("")));
    }
    paintSteps(view);
    const { interruptions } = newestState;
    if (parts.hasChanged("past", interruptions) && interruptions.length > 0) {
      import("./past-steps.js").then(({ paintPast }) => paintPast(parts.get("past"), interruptions, (item) => setWeight(item, task)), () => {}); // offline
    }
    paintPictures(marks);
    const seed = newestState.seed ?? task.seed;
    if (parts.hasChanged("seed", seed)) parts.get("meta").replaceChildren(...spans(meta(task, seed, now)));
  }

  /** @param {number} now */
  function setPace(now) {
    const gap = (now - measuredAt) * 1000;
    measuredAt = now;
    setProperty(element, "--pace", `${Math.round(Math.min(PACE_MOST_MS, Math.max(PACE_LEAST_MS, gap)))}ms`);
  }

  /** @param {View["marks"]} marks */
  function paintPictures({ layout }) {
    const { images, image, done, total } = card.state;
    const single = task.n === 1;
    const stored = parts.hasChanged("images", images);
    // the frame of the current picture is marked
    if (parts.hasChanged("drawn", layout === "ended" ? 0 : image) || stored) paintFrames(parts.get("pictures"), card);
    if (stored) {
      setText(parts.get("frame-label"), shapeLabel(task));
      fillFrame(parts.get("frame"), card, 1, single ? images[0] : undefined);
      const open = images.filter(({ withheld }) => !withheld);
      paintLinks(open);
      if (open.length < images.length || element.querySelector(".withheld")) {
        import("./withheld.js").then(({ paintWithheld }) => paintWithheld(card), () => {}); // offline
      }
    }
    const steps = layout === "live" && !(single && images.length > 0) ? (total ?? 0) : 0;
    if (parts.hasChanged("grid", `${steps} ${done}`)) paintGrid(find(element, ".frame__grid", SVGSVGElement), steps, done ?? 0, task);
  }

  /** Set the links of a card with pictures. @param {Picture[]} images */
  function paintLinks(images) {
    if (images.length === 0) return;
    const keys = images.map((picture) => pictureKey(taskId, picture));
    const compare = siteUrl(`/compare/?${keys.map((key) => `picture=${key}`).join("&")}`);
    const vary = siteUrl(`/?from=${keys[0]}`);
    const links = { vary, "vary-small": `${vary}&small=1`, download: `${images[0].url}?download=1`, compare, "compare-too": compare };
    for (const [name, url] of Object.entries(links)) setAttribute(parts.get(name), "href", url);
  }

  return card;
}

/**
 * A card for a task that the page's HTML does not contain.
 *
 * @param {string} taskId
 * @param {Task} task
 * @param {TaskState} state
 */
export function newCard(taskId, task, state) {
  const element = clone("card-template");
  const prompt = part(element, "prompt");
  element.id = `task-${taskId}`;
  element.dataset.taskId = taskId;
  prompt.id = `prompt-${taskId}`;
  setAttribute(element, "aria-labelledby", prompt.id);
  setText(part(element, "link"), task.prompt || gettext("Prompt removed"));
  return createCard(element, task, state);
}

/** @param {string[]} texts */
const spans = (texts) => texts.map((text) => Object.assign(document.createElement("span"), { textContent: text }));

/** What an element of the card is among its siblings. @param {HTMLElement} element */
const kind = (element) => `${element.getAttribute("class")} ${element.dataset.part} ${element.dataset.action}`;

/**
 * Add the parts that the server left out of the HTML, from the template.
 *
 * @param {HTMLElement} element
 * @param {HTMLElement} whole
 */
function complete(element, whole) {
  /** @type {HTMLElement[]} */ ([...whole.children]).forEach((child, i) => {
    const own = /** @type {HTMLElement | undefined} */ (element.children[i]);
    if (own && kind(own) === kind(child)) complete(own, child);
    else element.insertBefore(child, own ?? null);
  });
}

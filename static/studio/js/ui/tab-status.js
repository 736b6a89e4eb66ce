// @ts-check
/** The state of the newest task in the header's mark, the title of the tab and its icon. */

import { Parts, find, on } from "../lib/dom.js";
import { label, percent, positionLabel } from "../lib/i18n.js";
import { STEPS } from "../connection/protocol.js";

/** @import {Card} from "../card/card.js" */
/** @import {EventFrame, TaskState} from "../connection/protocol.js" */

const DRAW_EVERY_MS = 1_000;
/** Height of each of the seven bars in the mark, and how finely one of them fills. */
const BARS = [11, 15, 19, 23, 19, 15, 11];
const PARTS = 4;
/** [light, dark]: the browser's tabs follow the system, not the theme of the page. */
const COLOURS = { live: ["#0f7459", "#5ecaa6"], wait: ["#b57e10", "#ecc163"], fail: ["#b83a22", "#f4937a"] };
const HOLLOW = ["#52625c", "#9fb0a9"];

/** @typedef {ReturnType<typeof createTabStatus>} TabStatus */

export function createTabStatus() {
  const link = document.querySelector("link[rel='icon']");
  const firstIcon = link?.getAttribute("href") ?? "";
  const firstTitle = document.title;
  const mark = new Parts(find(document, ".bar [data-mark]", Element));
  /** The newest unfinished task. @type {Card | undefined} */
  let active;
  /** How a task ended while the tab was hidden. @type {"completed" | "failed" | null} */
  let unseen = null;
  let drawn = "";
  let drawnAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /**
   * @param {Card | undefined} newest of all
   * @param {Card | undefined} unfinished the newest unfinished one
   */
  function show(newest, unfinished) {
    const state = (unfinished ?? newest)?.state;
    if (state) mark.setData({ step: state.step, status: state.status });
    active = unfinished;
    setTitle();
    timer ??= setTimeout(draw, Math.max(0, drawnAt + DRAW_EVERY_MS - performance.now()));
  }

  /** A task ended just now. @param {EventFrame} frame */
  function ended({ status }) {
    if (document.hidden && unseen !== "failed" && (status === "completed" || status === "failed")) unseen = status;
  }

  function setTitle() {
    const words = active ? titleWords(active) : unseen && label("status", unseen);
    const title = words ? `${words} · ${firstTitle}` : firstTitle;
    if (document.title !== title) document.title = title;
  }

  function draw() {
    clearTimeout(timer);
    timer = undefined;
    drawnAt = performance.now();
    setTitle();
    const icon = unseen === "failed" ? picture(BARS.length, COLOURS.fail) : active ? iconOf(active.state) : firstIcon;
    if (icon === drawn) return;
    drawn = icon;
    link?.setAttribute("href", icon);
  }

  on(document, "visibilitychange", () => {
    if (!document.hidden) unseen = null;
    draw();
  });
  return { show, ended };
}

/** @param {TaskState} state */
function iconOf({ status, step, fraction, cancel_requested: stops }) {
  const queued = status === "queued";
  const part = step === "generating" ? Math.floor((fraction ?? 0) * PARTS) / PARTS : 0;
  const passed = queued ? 1 : Math.max(1, STEPS.indexOf(step)) + part;
  return picture(passed, queued || stops ? COLOURS.wait : COLOURS.live);
}

/**
 * The seven bars as an icon.
 *
 * @param {number} passed how many of them are full
 * @param {string[]} colours by light and by dark
 */
function picture(passed, colours) {
  const [light, dark] = colours.map((colour, i) => `rect{stroke:${HOLLOW[i]}}[fill]{stroke:none;fill:${colour}}`);
  const bars = BARS.map((height, i) => {
    const bar = `<rect x="${(1 + 3.9 * i).toFixed(1)}" y="3" width="2.6" rx="1.3" height="`;
    const full = height * Math.min(1, Math.max(0, passed - i));
    return (full < height ? `${bar}${height}"/>` : "") + (full > 0 ? `${bar}${full}" fill=""/>` : "");
  });
  const style = `rect{fill:none;stroke-width:.7}${light}@media(prefers-color-scheme:dark){${dark}}`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28"><style>${style}</style>${bars.join("")}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** @param {Card} active */
function titleWords({ state: { status, progress }, entry }) {
  if (status !== "queued") return `${percent(progress)}%`;
  return entry ? positionLabel(entry.position) : label("status", status);
}

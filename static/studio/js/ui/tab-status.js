// @ts-check
/** Where the newest task stands, for who looks elsewhere: the mark, the tab's title, its icon. */

import { Face, find } from "../lib/dom.js";
import { percent, positionLabel, statusLabel } from "../lib/i18n.js";
import { STEPS } from "../connection/protocol.js";

/** @import {Card} from "../card/card.js" */
/** @import {EventFrame, TaskState} from "../connection/protocol.js" */

const DRAW_EVERY_MS = 1_000;
/** Height of each of the seven bars in the mark, and how finely one of them fills. */
const BARS = [11, 15, 19, 23, 19, 15, 11];
const PARTS = 4;
/** By light and by dark: a tab's strip follows the system, whatever theme the page has. */
const COLOURS = { live: ["#0f7459", "#5ecaa6"], wait: ["#b57e10", "#ecc163"], fail: ["#b83a22", "#f4937a"] };
const HOLLOW = ["#52625c", "#9fb0a9"];

export class TabStatus {
  #title = document.title;
  #link = document.querySelector("link[rel='icon']");
  #calm = this.#link?.getAttribute("href") ?? "";
  #mark = new Face(find(document, ".bar [data-mark]", Element));
  /** The newest that still goes on. @type {Card | undefined} */
  #active;
  /** How a task ended while the tab was hidden. @type {"completed" | "failed" | null} */
  #unseen = null;
  #drawn = "";
  #drawnAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  constructor() {
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#unseen = null;
      this.#draw();
    });
  }

  /**
   * @param {Card | undefined} newest of all
   * @param {Card | undefined} active the newest that still goes on
   */
  show(newest, active) {
    const state = (active ?? newest)?.state;
    if (state) this.#mark.mark({ step: state.step, status: state.status });
    this.#active = active;
    this.#name();
    this.#timer ??= setTimeout(() => this.#draw(), Math.max(0, this.#drawnAt + DRAW_EVERY_MS - performance.now()));
  }

  /** A task ended just now. @param {EventFrame} frame */
  ended({ status }) {
    if (document.hidden && this.#unseen !== "failed" && (status === "completed" || status === "failed")) this.#unseen = status;
  }

  #name() {
    const words = this.#active ? titleWords(this.#active) : this.#unseen && statusLabel(this.#unseen);
    const title = words ? `${words} · ${this.#title}` : this.#title;
    if (document.title !== title) document.title = title;
  }

  #draw() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#drawnAt = performance.now();
    this.#name();
    const icon = this.#unseen === "failed" ? picture(BARS.length, COLOURS.fail)
      : this.#active ? iconOf(this.#active.state) : this.#calm;
    if (icon === this.#drawn) return;
    this.#drawn = icon;
    this.#link?.setAttribute("href", icon);
  }
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
  return entry ? positionLabel(entry.position) : statusLabel(status);
}

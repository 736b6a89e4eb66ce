// @ts-check
/** Where the newest task stands, for who looks elsewhere: the mark, the tab's title, its icon, alerts. */

import { slipsPassed } from "./card.js";
import { setAttribute } from "./dom.js";
import { percent } from "./format.js";
import { fill, gettext } from "./i18n.js";
import { statusLabel } from "./labels.js";
import { isTerminal } from "./protocol.js";

/** @import {EventFrame, QueuePlace, Task, TaskState} from "./protocol.js" */
/** @import {Alerts} from "./alerts.js" */

/** Where alerts.js keeps what was chosen on this device. */
const ALERTS = "studio.alerts";

const DRAW_EVERY_MS = 1_000;
/** Height of each of the seven slips in the mark, and how finely one of them fills. */
const SLIPS = [11, 15, 19, 23, 19, 15, 11];
const PARTS = 4;
const COLOURS = {
  light: { live: "#0f7459", wait: "#b57e10", fail: "#b83a22", hollow: "#52625c" },
  dark: { live: "#5ecaa6", wait: "#ecc163", fail: "#f4937a", hollow: "#9fb0a9" },
};

export class Presence {
  #title = document.title;
  #link = document.querySelector("link[rel='icon']");
  #calm = this.#link?.getAttribute("href") ?? "";
  /** A tab's strip follows the system, whatever theme the page has. */
  #dark = matchMedia("(prefers-color-scheme: dark)");
  /** @type {{state: TaskState, place: QueuePlace | null} | null} */
  #active = null;
  /** What ended while nobody looked. @type {"completed" | "failed" | null} */
  #unseen = null;
  #drawn = "";
  #drawnAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {Promise<Alerts> | null} */
  #alerts = null;

  constructor() {
    for (const menu of document.querySelectorAll("details:has([data-alerts])")) {
      menu.addEventListener("toggle", () => this.#loadAlerts());
    }
    addEventListener("storage", ({ key }) => {
      if (key === ALERTS) this.#loadAlerts();
    });
    if (hasChosenAlerts()) this.#loadAlerts();
    this.#dark.addEventListener("change", () => this.#draw());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      this.#unseen = null;
      this.#draw();
    });
  }

  /**
   * @param {TaskState | null} newest of all tasks
   * @param {{state: TaskState, place: QueuePlace | null} | null} active the newest that still goes on
   */
  show(newest, active) {
    const state = active?.state ?? newest;
    for (const mark of state ? document.querySelectorAll(".bar [data-mark]") : []) {
      setAttribute(mark, "data-step", state?.step ?? null);
      setAttribute(mark, "data-status", state?.status ?? null);
      setAttribute(mark, "data-passed", state ? slipsPassed(state) : null);
    }
    this.#active = active;
    this.#name();
    if (this.#timer !== undefined) return;
    const wait = Math.max(0, this.#drawnAt + DRAW_EVERY_MS - performance.now());
    this.#timer = setTimeout(() => this.#draw(), wait);
  }

  /**
   * A task ended just now.
   *
   * @param {string} taskId
   * @param {{frame: EventFrame, task: Task, state: TaskState}} about
   */
  async ended(taskId, about) {
    const { status } = about.frame;
    if (document.hidden && this.#unseen !== "failed" && (status === "completed" || status === "failed")) this.#unseen = status;
    await (await this.#alerts)?.ended(taskId, about);
  }

  #loadAlerts() {
    this.#alerts ??= import("./alerts.js").then(({ Alerts }) => new Alerts());
    this.#alerts.catch(() => (this.#alerts = null)); // the network is away: asked for again when it is needed
  }

  #name() {
    const words = this.#active ? titleWords(this.#active) : this.#unseen ? statusLabel(this.#unseen) : "";
    const title = words ? `${words} · ${this.#title}` : this.#title;
    if (document.title !== title) document.title = title;
  }

  #draw() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#drawnAt = performance.now();
    this.#name();
    const colours = this.#dark.matches ? COLOURS.dark : COLOURS.light;
    const icon = this.#unseen === "failed"
      ? picture(SLIPS.length, 0, colours.fail, colours.hollow)
      : this.#active ? iconOf(this.#active.state, colours) : this.#calm;
    if (icon === this.#drawn) return;
    this.#drawn = icon;
    this.#link?.setAttribute("href", icon);
  }
}

/**
 * @param {TaskState} state
 * @param {typeof COLOURS.light} colours
 */
function iconOf(state, colours) {
  const passed = slipsPassed(state);
  const part = state.step === "generating" ? Math.floor((state.fraction ?? 0) * PARTS) : 0;
  const colour = state.status === "queued" || state.cancel_requested ? colours.wait : colours.live;
  return picture(passed, part, colour, colours.hollow);
}

/**
 * The seven slips as an icon.
 *
 * @param {number} passed slips that are full
 * @param {number} part quarters of the next one
 * @param {string} colour
 * @param {string} hollow
 */
function picture(passed, part, colour, hollow) {
  const slips = SLIPS.map((height, i) => {
    const x = (1 + 3.9 * i).toFixed(1);
    const filled = i < passed ? height : i === passed ? (height * part) / PARTS : 0;
    const outline = `<rect x="${x}" y="3" width="2.6" height="${height}" rx="1.3" fill="none" stroke="${hollow}" stroke-width=".7"/>`;
    return (i < passed ? "" : outline) + (filled > 0 ? `<rect x="${x}" y="3" width="2.6" height="${filled}" rx="1.3" fill="${colour}"/>` : "");
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 28 28">${slips.join("")}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** @param {{state: TaskState, place: QueuePlace | null}} active */
function titleWords({ state, place }) {
  if (isTerminal(state.status)) return "";
  if (state.status === "queued" && place) return fill(gettext("Place %(n)s in line"), { n: place.position });
  if (state.status === "queued") return statusLabel("queued");
  return `${percent(state.progress)}%`;
}

function hasChosenAlerts() {
  try {
    return localStorage.getItem(ALERTS) !== null;
  } catch {
    return false;
  }
}

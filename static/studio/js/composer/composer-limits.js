// @ts-check
/** What is left of the user's limits, above the button; loaded when there are limits. composer_limits.py is the twin. */

import { dayAndTime, gettext, label, ngettext } from "../lib/i18n.js";

/** @import {Parts} from "../lib/dom.js" */
/** @import {Limits, ReachedLimit, Refusal} from "../connection/protocol.js" */
/** @import {Work} from "./composer-wait.js" */

/** The longest delay of a timer. */
const MOST_MS = 2 ** 31 - 1;
/** The server renews a limit in the second that it names. */
const RENEWED_AFTER_S = 1;


/** The line of the composer. */
export class ComposerLimits {
  #parts;
  #changed;
  /** @type {Limits} */
  #limits = {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Parts} parts of the form
   * @param {() => void} changed a limit was renewed
   */
  constructor(parts, changed) {
    this.#parts = parts;
    this.#changed = changed;
  }

  /**
   * @param {Limits} limits
   * @param {() => number} now the server's time, in Unix seconds
   */
  set(limits, now) {
    this.#limits = limits;
    clearTimeout(this.#timer);
    const next = Math.min(...Object.values(limits).map(({ renews_at: at }) => at ?? Infinity));
    if (next === Infinity) return;
    this.#timer = setTimeout(() => {
      this.set(renewed(this.#limits, now()), now);
      this.#changed();
    }, Math.min(MOST_MS, Math.max(0, next + RENEWED_AFTER_S - now()) * 1_000));
  }

  /** @param {Work | null} work what the form would send; null: unknown */
  show(work) {
    const { text, reached } = describeLimits(this.#limits, work);
    const line = this.#parts.get("limits");
    line.textContent = text;
    line.hidden = text === "";
    line.toggleAttribute("data-reached", reached);
  }
}

/**
 * The limits after those were renewed whose time has come; the server sends the new ones soon.
 *
 * @param {Limits} limits
 * @param {number} now Unix seconds
 * @returns {Limits}
 */
export function renewed(limits, now) {
  const after = Object.entries(limits).map(([kind, each]) =>
    [kind, each.renews_at !== null && each.renews_at <= now ? { ...each, left: each.limit, renews_at: null } : each]);
  return Object.fromEntries(after);
}

/**
 * The limit that refuses what would be sent; if none does, the one that says most.
 *
 * @param {Limits} limits
 * @param {Work | null} work
 * @returns {{text: string, reached: boolean}}
 */
export function describeLimits(limits, work) {
  for (const [kind, needed] of Object.entries(needs(work))) {
    const each = limits[kind];
    if (each && each.left < needed) return { text: reachedText({ kind, ...each }), reached: true };
  }
  return { text: leftText(limits), reached: false };
}

/** @param {Work | null} work @returns {Record<string, number>} kind → what the tasks would take, in the server's order */
function needs(work) {
  const { width, height, steps, n, tasks } = work ?? { width: 0, height: 0, steps: 0, n: 1, tasks: 1 };
  const effort = width * height * steps * n;
  return { unfinished: tasks, task_effort: effort, storage: 1, pictures: n * tasks, effort: effort * tasks, submissions: tasks };
}

/** @param {Limits} limits */
function leftText({ pictures, effort, unfinished }) {
  if (unfinished) return ngettext("%(n)s more task can wait", "%(n)s more tasks can wait", unfinished.left);
  if (pictures) return ngettext("%(n)s left today", "%(n)s left today", pictures.left);
  if (effort) return gettext("%(n)s of the drawing effort left today", { n: `${Math.floor((100 * effort.left) / effort.limit)}%` });
  return "";
}

/**
 * Which limit was reached, what is left, and when it renews.
 *
 * @param {ReachedLimit} reached
 */
export function reachedText({ kind, limit: n, left, renews_at: at }) {
  const values = { n, left, time: at === null ? "" : dayAndTime(at * 1_000)[1].slice(0, 5) };
  switch (kind) {
    case "pictures":
      return left > 0 ? gettext("Only %(left)s of %(n)s left today; back at %(time)s", values)
        : gettext("All %(n)s used today; back at %(time)s", values);
    case "effort": return gettext("Not enough drawing effort left; back at %(time)s", values);
    case "task_effort": return gettext("Too large for one task");
    case "submissions": return gettext("%(n)s tasks a minute; back at %(time)s", values);
    case "storage": return gettext("Storage is full: empty the trash");
    case "unfinished": return gettext("At most %(n)s tasks may wait", values);
    default: return "";
  }
}

/** Why the server refused; of a reached limit, when it renews; which words. @param {Pick<Refusal, "code" | "message" | "data">} refusal */
export const refusalText = ({ code, message, data }) =>
  (data && !data.words && reachedText(data)) || [label("error", code, message), ...(data?.words ?? []).map((words) => `“${words}”`)].join(" ");

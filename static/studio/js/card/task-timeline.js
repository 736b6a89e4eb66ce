// @ts-check
/** The task page's own parts: the event log as it grows, and the server's drawing of where the time went. */

import { drawAgain, settingsOf, share } from "./actions.js";
import { clone, find, setText, siteUrl } from "../lib/dom.js";
import { gettext, label, ngettext, number, timeOfDay } from "../lib/i18n.js";

/** @import {EventFrame, Task, TaskState} from "../connection/protocol.js" */

const KEPT_AT_END_PX = 40;
/** Between two drawings; the first event after a while is drawn at once. */
const REDRAW_MS = 2_000;
/** While nothing happens time still passes. */
const QUIET_MS = 10_000;

/** @param {EventFrame} frame one line of the log, in the viewer's language */
export function eventSentence(frame) {
  const { details } = frame;
  switch (frame.kind) {
    case "claimed":
      return gettext("Claimed by %(worker)s, attempt %(n)s", { worker: details.worker ?? "–", n: frame.attempt });
    case "step_began":
      return label("step", frame.step);
    case "progressed":
      return gettext("step %(k)s of %(total)s", { k: details.done, total: details.total });
    case "image_stored":
      return gettext("Picture %(i)s stored, %(size)s KB", { i: details.image?.index ?? frame.image, size: number((details.bytes ?? 0) / 1024) });
    case "delayed":
      return label("reason", details.reason);
    case "interrupted":
      return label("interruption", details.reason);
    case "cancel_requested":
      return details.reason
        ? gettext("Cancellation requested: the time limit was reached")
        : label("kind", frame.kind);
    case "failed":
      return label("error", frame.code ?? "", frame.message);
    default:
      return label("kind", frame.kind);
  }
}

export class TaskTimeline {
  #events = document.getElementById("events");
  #count = document.getElementById("event-count");
  #drawnAt = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {string} taskId
   * @param {Task} task
   */
  constructor(taskId, task) {
    this.taskId = taskId;
    for (const time of this.#events?.querySelectorAll("time") ?? []) {
      const at = Date.parse(time.dateTime) / 1000;
      if (!Number.isNaN(at)) setText(time, timeOfDay(at));
    }
    if (this.#events) this.#events.scrollTop = this.#events.scrollHeight;
    if (drawing()?.hasAttribute("data-goes-on")) this.#redrawIn(QUIET_MS);
    document.addEventListener("visibilitychange", () => {
      if (drawing()?.hasAttribute("data-goes-on")) this.#redrawIn(0);
    });
    document.addEventListener("click", ({ target }) => {
      const button = target instanceof Element ? target.closest("#task-actions [data-action]") : null;
      if (button instanceof HTMLButtonElement) this.#do(button, task);
    });
  }

  /** @param {EventFrame} frame */
  add(frame) {
    const list = this.#events;
    if (!list || list.querySelector(`[data-seq="${frame.seq}"]`)) return;
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < KEPT_AT_END_PX;
    const row = clone("event-template");
    row.dataset.seq = String(frame.seq);
    row.dataset.kind = frame.kind;
    setText(find(row, ".event__seq", HTMLElement), String(frame.seq));
    const time = find(row, "time", HTMLTimeElement);
    time.dateTime = new Date(frame.timestamp * 1000).toISOString();
    setText(time, timeOfDay(frame.timestamp));
    setText(find(row, "code", HTMLElement), frame.kind);
    setText(find(row, ".event__text span", HTMLElement), eventSentence(frame));
    list.append(row);
    if (atEnd) list.scrollTop = list.scrollHeight;
    if (this.#count) {
      setText(this.#count, ngettext("%(n)s event, none missing", "%(n)s events, none missing", frame.seq));
    }
    // at once would be too early for the events that are written together
    this.#redrawIn(Math.max(150, this.#drawnAt + REDRAW_MS - Date.now()));
  }

  /** @param {TaskState} state */
  show(state) {
    const seed = document.querySelector(".facts [data-part='seed']");
    if (seed && state.seed !== null) setText(seed, String(state.seed));
  }

  /** @param {number} ms */
  #redrawIn(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#redraw(), ms);
  }

  async #redraw() {
    this.#drawnAt = Date.now();
    if (document.hidden) return;
    if (drawing()?.hasAttribute("data-goes-on")) this.#redrawIn(QUIET_MS);
    const response = await fetch(siteUrl(`/tasks/${this.taskId}/timeline/`)).catch(() => null);
    if (!response?.ok || response.redirected) return; // it is asked again
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    if (seqOf(fresh.getElementById("timeline")) < seqOf(drawing())) return; // overtaken by a later one
    for (const part of fresh.querySelectorAll("[data-timeline]")) {
      const old = document.getElementById(part.id);
      if (old && old.innerHTML !== part.innerHTML) replace(old, document.adoptNode(part));
    }
  }

  /**
   * @param {HTMLButtonElement} button
   * @param {Task} task
   */
  async #do(button, task) {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    if (button.dataset.action === "share") await share(this.taskId);
    else {
      const drawn = await drawAgain(settingsOf(task), this.taskId);
      if (drawn) location.assign(siteUrl(`/tasks/${drawn}/`));
    }
    button.ariaBusy = null;
  }
}

const drawing = () => document.getElementById("timeline");
/** @param {HTMLElement | null} part */
const seqOf = (part) => Number(part?.dataset.seq ?? 0);

/**
 * What was open stays open, what had the focus keeps it.
 *
 * @param {Element} old
 * @param {Element} fresh
 */
function replace(old, fresh) {
  const focusable = "a, button, summary";
  const focused = [...old.querySelectorAll(focusable)].findIndex((node) => node === document.activeElement);
  const open = old.querySelector("details")?.open ?? false;
  old.replaceWith(fresh);
  fresh.querySelector("details")?.toggleAttribute("open", open);
  const again = fresh.querySelectorAll(focusable)[focused];
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
}

// @ts-check
/** The task page's own parts: the event log as it grows, and where the time went. */

import { clone, find, part, setProperty, setText } from "./dom.js";
import { duration, number, timeOfDay } from "./format.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { errorSentence, interruptionLabel, kindLabel, reasonLabel, stepLabel } from "./labels.js";

/** @import {EventFrame, TaskState} from "./protocol.js" */

const KEPT_AT_END_PX = 40;

/** @param {EventFrame} frame one line of the log, in the viewer's language */
export function eventSentence(frame) {
  const { details } = frame;
  switch (frame.kind) {
    case "claimed":
      return fill(gettext("Taken by %(worker)s, attempt %(n)s"), { worker: details.worker ?? "–", n: frame.attempt });
    case "step_began":
      return stepLabel(frame.step);
    case "progressed":
      return fill(gettext("step %(k)s of %(total)s"), { k: details.done, total: details.total });
    case "image_stored":
      return fill(gettext("Picture %(i)s stored, %(size)s KB"), { i: details.image?.index ?? frame.image, size: number((details.bytes ?? 0) / 1024) });
    case "delayed":
      return reasonLabel(details.reason);
    case "interrupted":
      return interruptionLabel(details.reason);
    case "failed":
      return errorSentence(frame.code ?? "", frame.message);
    default:
      return kindLabel(frame.kind);
  }
}

export class Story {
  #events = document.getElementById("events");
  #count = document.getElementById("event-count");
  #panel = document.getElementById("story");

  constructor() {
    for (const time of this.#events?.querySelectorAll("time") ?? []) {
      const at = Date.parse(time.dateTime) / 1000;
      if (!Number.isNaN(at)) setText(time, timeOfDay(at));
    }
    if (this.#events) this.#events.scrollTop = this.#events.scrollHeight;
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
      const words = ngettext("%(n)s event, no gap", "%(n)s events, no gap", frame.seq);
      setText(this.#count, fill(words, { n: frame.seq }));
    }
  }

  /** @param {TaskState} state */
  show(state) {
    const seed = document.querySelector(".facts [data-part='seed']");
    if (seed && state.seed !== null) setText(seed, String(state.seed));
    if (!this.#panel || state.submitted_at === null || state.ended_at === null) return;
    const parts = passages(state);
    this.#panel.hidden = false;
    const bar = part(this.#panel, "bar");
    bar.setAttribute("aria-label", parts.map(({ label, seconds }) => `${label} ${duration(seconds)}`).join(", "));
    bar.replaceChildren(...parts.map((passage) => piece(passage)));
    part(this.#panel, "parts").replaceChildren(...parts.map((passage) => entry(passage)));
    part(this.#panel, "rows").replaceChildren(...state.timeline.map((span) => row(span, state)));
  }
}

/** @typedef {{kind: "wait" | "work" | "broken", label: string, seconds: number}} Passage */

/**
 * Waiting and attempts, in the order they passed.
 *
 * @param {TaskState} state a finished one
 * @returns {Passage[]}
 */
export function passages(state) {
  /** @type {Passage[]} */
  const found = [];
  let from = state.submitted_at ?? 0;
  for (let attempt = 1; attempt <= state.attempt; attempt += 1) {
    const spans = state.timeline.filter((span) => span.attempt === attempt && span.step !== "completed");
    if (spans.length === 0) continue;
    const broken = state.interruptions.find((interruption) => interruption.attempt === attempt);
    const until = broken?.at ?? state.ended_at ?? from;
    const waiting = attempt === 1 ? gettext("In line") : gettext("Waiting to go on");
    found.push({ kind: "wait", label: waiting, seconds: spans[0].began - from });
    const name = broken ? gettext("Attempt %(n)s, interrupted") : gettext("Attempt %(n)s");
    found.push({ kind: broken ? "broken" : "work", label: fill(name, { n: attempt }), seconds: until - spans[0].began });
    from = until;
  }
  const rest = (state.ended_at ?? from) - from;
  if (rest > 0.05) found.push({ kind: "wait", label: gettext("In line"), seconds: rest });
  return found;
}

/** @param {Passage} passage */
function piece({ kind, seconds }) {
  const span = document.createElement("span");
  span.dataset.part = kind;
  setProperty(span, "--weight", Math.max(0.001, seconds).toFixed(3));
  return span;
}

/** @param {Passage} passage */
function entry({ label, seconds }) {
  const group = document.createElement("div");
  const term = document.createElement("dt");
  const value = document.createElement("dd");
  term.textContent = label;
  value.textContent = duration(seconds);
  group.append(term, value);
  return group;
}

/**
 * @param {TaskState["timeline"][number]} span
 * @param {TaskState} state
 */
function row(span, state) {
  const cells = [
    span.attempt > 0 ? String(span.attempt) : "–",
    stepLabel(span.step),
    span.image > 0 ? String(span.image) : "–",
    fill(gettext("%(n)s s"), { n: number(span.began - (state.submitted_at ?? span.began), 2) }),
    span.ended === null ? "–" : told(span.ended - span.began, span.observed),
  ];
  const line = document.createElement("tr");
  cells.forEach((text, i) => {
    const cell = document.createElement("td");
    cell.textContent = text;
    if (i > 2) cell.className = "table__number";
    line.append(cell);
  });
  return line;
}

/**
 * @param {number} seconds
 * @param {boolean} observed
 */
const told = (seconds, observed) => (observed ? duration(seconds) : fill(gettext("≈ %(t)s"), { t: duration(seconds) }));

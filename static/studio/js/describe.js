// @ts-check
/** What a card shows of a task: words, numbers and flags from state alone. No DOM. */

import { duration, elapsed, percent } from "./format.js";
import { fill, gettext } from "./i18n.js";
import { basisLabel } from "./labels.js";
import { STEPS, UNMEASURED_STEPS, isTerminal } from "./protocol.js";
import { headline, meta, note, remainingText, valueText } from "./sentences.js";

/** @import {Basis, QueuePlace, Status, StepName, StepSpan, Task, TaskState} from "./protocol.js" */

/** A step is called slow when it took this many times its usual length, and this many seconds more. */
const SLOW_FACTOR = 2;
const SLOW_SECONDS = 1.5;

/**
 * @typedef {object} Slip
 * @property {StepName} step
 * @property {boolean} current
 * @property {string} time
 *
 * @typedef {object} View
 * @property {Status} status
 * @property {StepName} step
 * @property {"line" | "live" | "ended"} layout
 * @property {"now" | "step" | "picture" | null} stopping
 * @property {boolean} waiting
 * @property {boolean} overdue
 * @property {string} percent
 * @property {Basis} basis
 * @property {string} basisLabel
 * @property {string} headline
 * @property {string} remaining
 * @property {boolean} estimated whether `remaining` carries the estimate badge
 * @property {{lead: string, text: string} | null} note
 * @property {number} position 0 = not in line
 * @property {number | null} fill 0..1, measured
 * @property {number | null} head 0..1, estimated
 * @property {Slip[]} slips
 * @property {string[]} meta
 * @property {string} valueText
 * @property {boolean} canCancel
 * @property {boolean} canRetry
 */

/**
 * @param {Task} task
 * @param {TaskState} state
 * @param {{place: QueuePlace | null, now: number}} at `now` in Unix seconds of the server's clock
 * @returns {View}
 */
export function describe(task, state, { place, now }) {
  const terminal = isTerminal(state.status);
  const span = currentSpan(state);
  const slow = !terminal && state.waiting === null && span !== null && isSlow(task, span, now);
  const stopping = terminal ? null : state.cancel_requested;
  const remaining = remainingText(state, place);
  return {
    status: state.status,
    step: state.step,
    layout: terminal ? "ended" : state.status === "queued" ? "line" : "live",
    stopping,
    waiting: state.waiting !== null,
    overdue: slow,
    percent: percent(state.progress),
    basis: state.basis,
    basisLabel: basisLabel(state.basis),
    headline: headline(task, state, place),
    remaining: remaining.text,
    estimated: remaining.estimated,
    note: note(task, state, slow ? span : null, now),
    position: state.status === "queued" && !stopping ? (place?.position ?? 0) : 0,
    fill: measuredFill(state),
    head: terminal || slow || span === null ? null : estimatedHead(task, span, now),
    slips: STEPS.map((step) => ({
      step,
      current: step === shownStep(state),
      time: slipTime(task, state, step, now),
    })),
    meta: meta(task, state),
    valueText: valueText(state),
    canCancel: !terminal && !stopping,
    canRetry: state.status === "failed" || state.status === "cancelled",
  };
}

/** While it waits, a task has passed the first step and no other. @param {TaskState} state */
export const shownStep = (state) => (state.status === "queued" ? "parsing" : state.step);

/** @param {TaskState} state */
function currentSpan(state) {
  const last = state.timeline.at(-1);
  return last && last.ended === null ? last : null;
}

/**
 * @param {Task} task
 * @param {StepSpan} span
 * @param {number} now
 */
function isSlow(task, span, now) {
  const usual = task.expected[span.step];
  if (usual === undefined) return false;
  return now - span.began > Math.max(usual * SLOW_FACTOR, usual + SLOW_SECONDS);
}

/** @param {TaskState} state */
function measuredFill(state) {
  if (state.status === "queued") return null;
  return state.step === "generating" ? state.fraction : null;
}

/**
 * Where a step without a measure would be by the clock; the whole slip stays hatched.
 *
 * @param {Task} task
 * @param {StepSpan} span
 * @param {number} now
 */
function estimatedHead(task, span, now) {
  if (!UNMEASURED_STEPS.has(span.step)) return null;
  const usual = task.expected[span.step];
  if (span.step === "loading" || !usual) return 0;
  return Math.min(1, Math.max(0, (now - span.began) / usual));
}

/**
 * @param {Task} task
 * @param {TaskState} state
 * @param {StepName} step
 * @param {number} now
 */
function slipTime(task, state, step, now) {
  if (step === "completed") return "";
  const spans = state.timeline.filter(
    (span) => span.step === step && (span.attempt === state.attempt || step === "parsing"),
  );
  const shown = isTerminal(state.status) ? spans : spans.filter((s) => s.image === state.image || s.image === 0).slice(-1);
  if (shown.length > 0 && state.status !== "queued") {
    const open = shown.find((span) => span.ended === null);
    if (open) return elapsed(now - open.began);
    const seconds = shown.reduce((sum, span) => sum + ((span.ended ?? now) - span.began), 0);
    if (seconds === 0) return ""; // one and the same moment: there is no duration to tell
    const told = duration(seconds);
    return shown.every((span) => span.observed) ? told : fill(gettext("≈ %(t)s"), { t: told });
  }
  if (step === "parsing" && spans.length > 0) return "";
  const usual = task.expected[step];
  if (isTerminal(state.status) || usual === undefined) return "";
  return fill(gettext("≈ %(t)s"), { t: duration(usual) });
}

// @ts-check
/** What a card says about a task: words and numbers from state alone. No DOM. */

import { duration, elapsed, number, percent, size, timeOfDay } from "./format.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { basisLabel, errorSentence, interruptionLabel, reasonLabel, stepLabel } from "./labels.js";
import { STEPS, UNMEASURED_STEPS, isTerminal } from "./protocol.js";

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

/** @param {StepName} step */
export const stepNumber = (step) => STEPS.indexOf(step) + 1;

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
 * @param {QueuePlace | null} place
 */
function headline(task, state, place) {
  switch (state.status) {
    case "completed":
      return endedText(gettext("Done"), state);
    case "failed":
      return fill(gettext("Failed at step %(n)s"), { n: stepNumber(state.error?.step ?? state.step) });
    case "cancelled":
      return cancelledText(state);
    case "queued":
      if (state.cancel_requested) return stoppingText(state.cancel_requested);
      if (place) return fill(gettext("Place %(n)s in line"), { n: place.position });
      return state.interruptions.length > 0 ? gettext("Back in line") : gettext("In line");
    default:
      if (state.cancel_requested) return stoppingText(state.cancel_requested);
      if (place) return gettext("Interrupted; waiting for a worker");
      if (state.waiting) return reasonLabel(state.waiting.reason);
      return runningText(task, state);
  }
}

/** @param {"now" | "step" | "picture"} stops */
function stoppingText(stops) {
  if (stops === "step") return gettext("Stopping: the GPU stops when this step ends");
  if (stops === "picture") return gettext("Stopping: the GPU finishes this picture first");
  return gettext("Stopping: waiting for the machine to let go");
}

/**
 * @param {Task} task
 * @param {TaskState} state
 */
function runningText(task, state) {
  const parts = [];
  if (task.n > 1 && state.image > 0) {
    parts.push(fill(gettext("Picture %(i)s of %(n)s"), { i: state.image, n: task.n }));
  }
  if (state.step === "generating" && state.total !== null) {
    parts.push(fill(gettext("step %(k)s of %(total)s"), { k: state.done ?? 0, total: state.total }));
  } else {
    parts.push(stepLabel(state.step));
  }
  return parts.join(" · ");
}

/** @param {TaskState} state */
function cancelledText(state) {
  if (state.claimed_at === null) return gettext("Cancelled while in line");
  if (state.step === "generating" && state.total !== null) {
    return fill(gettext("Cancelled at step %(k)s of %(total)s"), { k: state.done ?? 0, total: state.total });
  }
  return fill(gettext("Cancelled · %(step)s"), { step: stepLabel(state.step) });
}

/**
 * @param {string} lead
 * @param {TaskState} state
 */
function endedText(lead, state) {
  const parts = [lead];
  if (state.wait_seconds !== null) {
    parts.push(fill(gettext("waited %(n)s s"), { n: number(state.wait_seconds, 1) }));
  }
  if (state.run_seconds !== null) {
    parts.push(fill(gettext("drew %(n)s s"), { n: number(state.run_seconds, 1) }));
  }
  return parts.join(" · ");
}

/**
 * @param {TaskState} state
 * @param {QueuePlace | null} place
 * @returns {{text: string, estimated: boolean}}
 */
function remainingText(state, place) {
  const none = { text: "", estimated: false };
  if (isTerminal(state.status)) return none;
  if (state.waiting) {
    const until = timeOfDay(state.waiting.until);
    return { text: fill(gettext("asks again at %(time)s"), { time: until }), estimated: false };
  }
  if (state.status === "queued") {
    if (!place || state.cancel_requested) return none;
    if (place.reason && place.reason !== "in_line") return { text: reasonLabel(place.reason), estimated: false };
    if (place.eta_seconds === null) return none;
    return { text: about(place.eta_seconds, "starts"), estimated: true };
  }
  if (place || state.eta_seconds === null || state.cancel_requested === "step") return none;
  return { text: about(state.eta_seconds, "left"), estimated: true };
}

/** Estimates are told in whole seconds, or minutes from a minute and a half. */
const ABOUT = {
  left: {
    seconds: () => gettext("about %(n)s s left"),
    minutes: () => gettext("about %(n)s min left"),
  },
  starts: {
    seconds: () => gettext("starts in about %(n)s s"),
    minutes: () => gettext("starts in about %(n)s min"),
  },
};

/**
 * @param {number} seconds
 * @param {"left" | "starts"} what
 */
function about(seconds, what) {
  if (seconds >= 90) return fill(ABOUT[what].minutes(), { n: Math.round(seconds / 60) });
  return fill(ABOUT[what].seconds(), { n: Math.max(1, Math.round(seconds)) });
}

/**
 * @param {Task} task
 * @param {TaskState} state
 * @param {StepSpan | null} slowSpan
 * @param {number} now
 */
function note(task, state, slowSpan, now) {
  if (state.error) {
    return { lead: stepLabel(state.error.step), text: errorSentence(state.error.code, state.error.message) };
  }
  if (isTerminal(state.status)) return null;
  if (slowSpan) {
    const sentence = gettext("%(elapsed)s so far, usually %(usual)s; still working");
    const usual = duration(task.expected[slowSpan.step] ?? 0);
    return { lead: stepLabel(slowSpan.step), text: fill(sentence, { elapsed: elapsed(now - slowSpan.began), usual }) };
  }
  const last = state.interruptions.at(-1);
  if (last) return { lead: interruptionLabel(last.reason), text: againText(task, state) };
  return null;
}

/**
 * @param {Task} task
 * @param {TaskState} state
 */
function againText(task, state) {
  const parts = [];
  if (state.status === "queued") {
    parts.push(fill(gettext("back in line, attempt %(n)s comes next"), { n: state.attempt + 1 }));
  } else {
    parts.push(fill(gettext("attempt %(n)s is running"), { n: state.attempt }));
  }
  const kept = state.images.length;
  if (kept > 0) {
    parts.push(fill(gettext("%(k)s of %(n)s pictures kept"), { k: kept, n: task.n }));
  }
  return parts.join(" · ");
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

/**
 * @param {Task} task
 * @param {TaskState} state
 */
function meta(task, state) {
  const parts = [size(task.width, task.height)];
  parts.push(fill(ngettext("%(n)s step", "%(n)s steps", task.steps), { n: task.steps }));
  parts.push(fill(gettext("guidance %(n)s"), { n: number(task.guidance, 0, 2) }));
  const seed = state.seed ?? task.seed;
  if (seed !== null) parts.push(fill(gettext("seed %(n)s"), { n: seed }));
  parts.push(fill(gettext("sent %(time)s"), { time: timeOfDay(task.created) }));
  return parts;
}

/** @param {TaskState} state */
function valueText(state) {
  const values = { percent: percent(state.progress), basis: basisLabel(state.basis), step: stepLabel(state.step) };
  return fill(gettext("%(percent)s%, %(basis)s, %(step)s"), values);
}

// @ts-check
/** Texts and flags of a task's card, from its state alone, without DOM; generation/views/card_view.py is the twin. */

import { about, duration, elapsed, gettext, label, ngettext, number, percent, positionLabel, size, timeOfDay } from "../lib/i18n.js";
import { STEPS, isTerminal } from "../connection/protocol.js";

/** @import {Basis, QueueEntry, Status, StepName, StepSpan, Task, TaskState} from "../connection/protocol.js" */

/** @param {(string | false | null)[]} parts */
const joinTexts = (...parts) => parts.filter(Boolean).join(" · ");

/**
 * @param {Task} task
 * @param {TaskState} state
 * @param {QueueEntry | null} entry
 */
function headline(task, state, entry) {
  const { status, step, error, interruptions, cancel_requested: stops, waiting, wait_seconds: waitSeconds, run_seconds: runSeconds } = state;
  if (status === "completed") {
    return joinTexts(
      gettext("Done"),
      waitSeconds !== null && gettext("waited %(n)s s", { n: number(waitSeconds, 1) }),
      runSeconds !== null && gettext("drawn in %(n)s s", { n: number(runSeconds, 1) }),
    );
  }
  if (status === "failed") return gettext("Failed at step %(n)s", { n: STEPS.indexOf(error?.step ?? step) + 1 });
  if (status === "cancelled") return cancelledText(state);
  if (stops === "step") return gettext("Stopping: the GPU stops when this step ends");
  if (stops === "picture") return gettext("Stopping: the GPU finishes this picture first");
  if (stops) return gettext("Stopping: waiting for the worker to finish");
  if (status === "queued") {
    if (entry) return positionLabel(entry.position);
    return interruptions.length > 0 ? gettext("Back in the queue") : label("status", status);
  }
  if (entry) return gettext("Interrupted; waiting for a worker");
  return waiting ? label("reason", waiting.reason) : runningText(task, state);
}

/**
 * @param {Task} task
 * @param {TaskState} state
 */
function runningText({ n }, { image, step, done, total }) {
  return joinTexts(
    n > 1 && image > 0 && gettext("Picture %(i)s of %(n)s", { i: image, n }),
    step === "generating" && total !== null
      ? gettext("step %(k)s of %(total)s", { k: done ?? 0, total })
      : label("step", step),
  );
}

/** @param {TaskState} state */
function cancelledText({ claimed_at: claimed, step, done, total }) {
  if (claimed === null) return gettext("Cancelled while queued");
  if (step === "generating" && total !== null) return gettext("Cancelled at step %(k)s of %(total)s", { k: done ?? 0, total });
  return gettext("Cancelled · %(step)s", { step: label("step", step) });
}

/**
 * @param {TaskState} state
 * @param {QueueEntry | null} entry
 * @param {number} now
 * @returns {{text: string, estimated: boolean}}
 */
function remainingText(state, entry, now) {
  const { status, waiting, cancel_requested: stops, eta_seconds: left } = state;
  let text = "";
  let estimated = false;
  if (isTerminal(status)) {
    // there is nothing left
  } else if (waiting) {
    text = gettext("tries again at %(time)s", { time: timeOfDay(waiting.until, now) });
  } else if (status === "queued") {
    const starts = stops ? null : entry;
    const why = starts?.reason || "in_line";
    if (starts && why !== "in_line") text = label("reason", why);
    else if (starts && starts.eta_seconds !== null) {
      const { long, n } = about(starts.eta_seconds);
      text = long ? gettext("starts in about %(n)s min", { n }) : gettext("starts in about %(n)s s", { n });
      estimated = true;
    }
  } else if (!entry && left !== null && stops !== "step") {
    const { long, n } = about(left);
    text = long ? gettext("about %(n)s min left", { n }) : gettext("about %(n)s s left", { n });
    estimated = true;
  }
  return { text, estimated };
}

/**
 * @param {Task} task
 * @param {TaskState} state
 * @param {StepSpan | null} slowSpan
 * @param {number} now
 * @returns {[lead: string, text: string] | null}
 */
function note({ n, expected, cancel_after: cancelAfter }, { error, interruptions, status, attempt, images, cancel_reason: why }, slowSpan, now) {
  if (error) return [label("step", error.step), label("error", error.code, error.message)];
  if (why) return [gettext("Time limit"), gettext("reached; the program that submitted the task set it")];
  const last = interruptions.at(-1);
  if (last && status === "completed") {
    return [label("interruption", last.reason), gettext("drawn in attempt %(n)s", { n: attempt })];
  }
  if (isTerminal(status)) return null;
  if (slowSpan) {
    const { step, began } = slowSpan;
    const values = { elapsed: elapsed(now - began), usual: duration(expected[step] ?? 0) };
    return [label("step", step), gettext("%(elapsed)s so far, usually %(usual)s; still working", values)];
  }
  if (last) {
    return [label("interruption", last.reason), joinTexts(
      status === "queued"
        ? gettext("back in the queue, attempt %(n)s is next", { n: attempt + 1 })
        : gettext("attempt %(n)s is running", { n: attempt }),
      images.length > 0 && gettext("%(k)s of %(n)s pictures kept", { k: images.length, n }),
    )];
  }
  if (!cancelAfter) return null;
  const time = timeOfDay(cancelAfter, now);
  return [gettext("Time limit"), gettext("cancelled at %(time)s unless it is done", { time })];
}

/**
 * Parameters of the request; only the seed may change, because the worker chooses it.
 *
 * @param {Task} task
 * @param {number | null} seed
 * @param {number} now
 */
export const meta = ({ width, height, steps, guidance, created }, seed, now) => [
  size(width, height),
  ngettext("%(n)s step", "%(n)s steps", steps),
  gettext("guidance %(n)s", { n: number(guidance, 0, 2) }),
  ...(seed === null ? [] : [gettext("seed %(n)s", { n: seed })]),
  gettext("sent %(time)s", { time: timeOfDay(created, now) }),
];

/** @param {TaskState} state */
export const valueText = ({ progress, basis, step }) =>
  gettext("%(percent)s%, %(basis)s, %(step)s", { percent: percent(progress), basis: label("basis", basis), step: label("step", step) });

/** A step is slow if it takes this many times its usual duration, and this many seconds longer. */
const SLOW_FACTOR = 2;
const SLOW_SECONDS = 1.5;
/** Steps without measured progress: their progress is estimated. */
const UNMEASURED = ["loading", "preparing", "decoding", "finishing"];
/** The head line of the step pulses only while events are newer than this. */
const FRESH_SECONDS = 4;

/** Most blocks drawn for a queue position; behind them only the number shows it. */
const MOST_BLOCKS = 8;
/** Weight of a step without an expected duration. */
const LEAST_WEIGHT = 0.02;

/** @param {Task} task @param {StepName} step */
export const stepWeight = ({ expected }, step) => expected[step] || LEAST_WEIGHT;

/** @typedef {"queued" | "live" | "ended"} Layout */

/**
 * @typedef {object} View
 * @property {{status: Status, step: StepName, layout: Layout, basis: Basis, stopping: "now" | "step" | "picture" | null, waiting: boolean, overdue: boolean, stale: boolean, fresh: boolean, pictures: number, kept: number, shape: "tall" | "wide"}} marks
 * @property {{percent: string, basis: string, headline: string, remaining: string, stale: string, "note-lead": string, "note-text": string}} texts
 * @property {{"remaining-basis": boolean, stale: boolean, note: boolean, cancel: boolean, retry: boolean}} shown
 * @property {number} blocks drawn for the position in the queue
 * @property {number | null} fill 0..1, measured
 * @property {number | null} head 0..1, estimated
 * @property {number} current index of the step it is at
 * @property {string[]} times of the seven steps
 */

/**
 * @param {Task} task
 * @param {TaskState} state
 * @param {{entry: QueueEntry | null, now: number, staleSince?: number | null}} at in Unix seconds of the server's
 *   clock; `staleSince`: when the connection was lost, null = connected
 * @returns {View}
 */
export function describe(task, state, { entry, now: clock, staleSince = null }) {
  const { status, step, basis, timeline, cancel_requested: stops } = state;
  const terminal = isTerminal(status);
  const queued = status === "queued";
  const stale = staleSince !== null && !terminal;
  const now = stale ? staleSince : clock;
  const last = timeline.at(-1);
  const span = last?.ended === null ? last : null;
  const slow = !terminal && state.waiting === null && span !== null && isSlow(task, span, now);
  const stopping = terminal ? null : stops;
  const { text, estimated } = remainingText(state, entry, now);
  const noteParts = note(task, state, slow ? span : null, now);
  return {
    marks: {
      status,
      step,
      layout: terminal ? "ended" : queued ? "queued" : "live",
      basis,
      stopping,
      waiting: state.waiting !== null,
      overdue: slow && !stale,
      stale,
      fresh: !stale && now - (state.updated_at ?? 0) < FRESH_SECONDS,
      pictures: task.n,
      kept: state.images.length,
      shape: task.height > task.width ? "tall" : "wide",
    },
    texts: {
      percent: percent(state.progress),
      basis: stale ? gettext("last known") : label("basis", basis),
      headline: stale && stopping
        ? gettext("Stop requested; the result is known when the connection is back")
        : headline(task, state, entry),
      remaining: stale && estimated ? gettext("time left unknown") : text,
      stale: stale ? gettext("as of %(time)s", { time: timeOfDay(now, clock) }) : "",
      "note-lead": noteParts?.[0] ?? "",
      "note-text": noteParts?.[1] ?? "",
    },
    shown: {
      "remaining-basis": estimated && !stale,
      stale,
      note: noteParts !== null,
      cancel: !terminal && !stopping,
      retry: (status === "failed" || status === "cancelled") && task.prompt !== "",
    },
    blocks: queued && !stopping ? Math.min(entry?.position ?? 0, MOST_BLOCKS) : 0,
    fill: !queued && step === "generating" ? state.fraction : null,
    head: terminal || slow || span === null ? null : estimatedHead(task, span, now),
    // a queued task has passed only the first step
    current: queued ? 0 : STEPS.indexOf(step),
    times: STEPS.map((each) => stepTime(task, state, each, now)),
  };
}

/**
 * @param {Task} task
 * @param {StepSpan} span
 * @param {number} now
 */
function isSlow({ expected }, { step, began }, now) {
  const usual = expected[step];
  return usual !== undefined && now - began > Math.max(usual * SLOW_FACTOR, usual + SLOW_SECONDS);
}

/**
 * Estimated progress of a step without measured progress, 0..1; null for other steps.
 *
 * @param {Task} task
 * @param {StepSpan} span
 * @param {number} now
 */
function estimatedHead({ expected }, { step, began }, now) {
  if (!UNMEASURED.includes(step)) return null;
  const usual = expected[step];
  return step === "loading" || !usual ? 0 : Math.min(1, Math.max(0, (now - began) / usual));
}

/**
 * @param {Task} task
 * @param {TaskState} state
 * @param {StepName} step
 * @param {number} now
 */
function stepTime({ expected }, { status, timeline, attempt, image }, step, now) {
  const terminal = isTerminal(status);
  const first = step === "parsing";
  if (step === "completed") return "";
  const spans = timeline.filter((span) => span.step === step && (first || span.attempt === attempt));
  const shown = terminal ? spans : spans.filter((span) => span.image === image || span.image === 0).slice(-1);
  if (shown.length > 0 && status !== "queued") {
    const open = shown.find(({ ended }) => ended === null);
    if (open) return elapsed(now - open.began);
    const seconds = shown.reduce((sum, { began, ended }) => sum + ((ended ?? now) - began), 0);
    if (seconds === 0) return ""; // begin and end have the same timestamp: the duration is unknown
    return shown.every(({ observed }) => observed) ? duration(seconds) : estimate(seconds);
  }
  const usual = expected[step];
  return (first && spans.length > 0) || terminal || usual === undefined ? "" : estimate(usual);
}

/** @param {number} seconds */
const estimate = (seconds) => gettext("≈ %(t)s", { t: duration(seconds) });

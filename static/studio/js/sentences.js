// @ts-check
/** The sentences of a card, from state alone. No DOM. */

import { duration, elapsed, number, percent, size, timeOfDay } from "./format.js";
import { fill, gettext, ngettext } from "./i18n.js";
import { basisLabel, errorSentence, interruptionLabel, reasonLabel, stepLabel } from "./labels.js";
import { STEPS, isTerminal } from "./protocol.js";

/** @import {QueuePlace, StepName, StepSpan, Task, TaskState} from "./protocol.js" */

/** @param {StepName} step */
const stepNumber = (step) => STEPS.indexOf(step) + 1;

/**
 * @param {Task} task
 * @param {TaskState} state
 * @param {QueuePlace | null} place
 */
export function headline(task, state, place) {
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
export function remainingText(state, place) {
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
export function note(task, state, slowSpan, now) {
  if (state.error) {
    return { lead: stepLabel(state.error.step), text: errorSentence(state.error.code, state.error.message) };
  }
  const last = state.interruptions.at(-1);
  if (state.status === "completed" && last) {
    return { lead: interruptionLabel(last.reason), text: fill(gettext("drawn in attempt %(n)s"), { n: state.attempt }) };
  }
  if (isTerminal(state.status)) return null;
  if (slowSpan) {
    const sentence = gettext("%(elapsed)s so far, usually %(usual)s; still working");
    const usual = duration(task.expected[slowSpan.step] ?? 0);
    return { lead: stepLabel(slowSpan.step), text: fill(sentence, { elapsed: elapsed(now - slowSpan.began), usual }) };
  }
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

/** What was asked for changes with the seed alone, which is drawn late. @type {WeakMap<Task, {seed: number | null, parts: string[]}>} */
const asked = new WeakMap();

/**
 * @param {Task} task
 * @param {TaskState} state
 */
export function meta(task, state) {
  const seed = state.seed ?? task.seed;
  const known = asked.get(task);
  if (known && known.seed === seed) return known.parts;
  const parts = [size(task.width, task.height)];
  parts.push(fill(ngettext("%(n)s step", "%(n)s steps", task.steps), { n: task.steps }));
  parts.push(fill(gettext("guidance %(n)s"), { n: number(task.guidance, 0, 2) }));
  if (seed !== null) parts.push(fill(gettext("seed %(n)s"), { n: seed }));
  parts.push(fill(gettext("sent %(time)s"), { time: timeOfDay(task.created) }));
  asked.set(task, { seed, parts });
  return parts;
}

/** @param {TaskState} state */
export function valueText(state) {
  const values = { percent: percent(state.progress), basis: basisLabel(state.basis), step: stepLabel(state.step) };
  return fill(gettext("%(percent)s%, %(basis)s, %(step)s"), values);
}

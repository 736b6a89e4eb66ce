// @ts-check
/** The sentences of a card, from state alone. No DOM. */

import { about, duration, elapsed, number, percent, size, timeOfDay } from "./format.js";
import { gettext, ngettext } from "./i18n.js";
import { basisLabel, errorSentence, interruptionLabel, reasonLabel, statusLabel, stepLabel } from "./labels.js";
import { STEPS, isTerminal } from "./protocol.js";

/** @import {QueuePlace, StepSpan, Task, TaskState} from "./protocol.js" */

/** @param {(string | false | null)[]} parts */
const joined = (...parts) => parts.filter(Boolean).join(" · ");

/**
 * @param {Task} task
 * @param {TaskState} state
 * @param {QueuePlace | null} place
 */
export function headline(task, state, place) {
  const { status, step, error, interruptions, cancel_requested: stops, waiting, wait_seconds: waited, run_seconds: drew } = state;
  if (status === "completed") {
    return joined(
      gettext("Done"),
      waited !== null && gettext("waited %(n)s s", { n: number(waited, 1) }),
      drew !== null && gettext("drew %(n)s s", { n: number(drew, 1) }),
    );
  }
  if (status === "failed") return gettext("Failed at step %(n)s", { n: STEPS.indexOf(error?.step ?? step) + 1 });
  if (status === "cancelled") return cancelledText(state);
  if (stops === "step") return gettext("Stopping: the GPU stops when this step ends");
  if (stops === "picture") return gettext("Stopping: the GPU finishes this picture first");
  if (stops) return gettext("Stopping: waiting for the machine to let go");
  if (status === "queued") {
    if (place) return gettext("Place %(n)s in line", { n: place.position });
    return interruptions.length > 0 ? gettext("Back in line") : statusLabel(status);
  }
  if (place) return gettext("Interrupted; waiting for a worker");
  return waiting ? reasonLabel(waiting.reason) : runningText(task, state);
}

/**
 * @param {Task} task
 * @param {TaskState} state
 */
function runningText({ n }, { image, step, done, total }) {
  return joined(
    n > 1 && image > 0 && gettext("Picture %(i)s of %(n)s", { i: image, n }),
    step === "generating" && total !== null
      ? gettext("step %(k)s of %(total)s", { k: done ?? 0, total })
      : stepLabel(step),
  );
}

/** @param {TaskState} state */
function cancelledText({ claimed_at: claimed, step, done, total }) {
  if (claimed === null) return gettext("Cancelled while in line");
  if (step === "generating" && total !== null) return gettext("Cancelled at step %(k)s of %(total)s", { k: done ?? 0, total });
  return gettext("Cancelled · %(step)s", { step: stepLabel(step) });
}

/**
 * @param {TaskState} state
 * @param {QueuePlace | null} place
 * @returns {{text: string, estimated: boolean}}
 */
export function remainingText(state, place) {
  const { status, waiting, cancel_requested: stops, eta_seconds: left } = state;
  let text = "";
  let estimated = false;
  if (isTerminal(status)) {
    // there is nothing left
  } else if (waiting) {
    text = gettext("asks again at %(time)s", { time: timeOfDay(waiting.until) });
  } else if (status === "queued") {
    const starts = stops ? null : place;
    const why = starts?.reason || "in_line";
    if (starts && why !== "in_line") text = reasonLabel(why);
    else if (starts && starts.eta_seconds !== null) {
      const { long, n } = about(starts.eta_seconds);
      text = long ? gettext("starts in about %(n)s min", { n }) : gettext("starts in about %(n)s s", { n });
      estimated = true;
    }
  } else if (!place && left !== null && stops !== "step") {
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
export function note({ n, expected }, { error, interruptions, status, attempt, images }, slowSpan, now) {
  if (error) return [stepLabel(error.step), errorSentence(error.code, error.message)];
  const last = interruptions.at(-1);
  if (last && status === "completed") {
    return [interruptionLabel(last.reason), gettext("drawn in attempt %(n)s", { n: attempt })];
  }
  if (isTerminal(status)) return null;
  if (slowSpan) {
    const { step, began } = slowSpan;
    const values = { elapsed: elapsed(now - began), usual: duration(expected[step] ?? 0) };
    return [stepLabel(step), gettext("%(elapsed)s so far, usually %(usual)s; still working", values)];
  }
  return last ? [interruptionLabel(last.reason), joined(
    status === "queued"
      ? gettext("back in line, attempt %(n)s comes next", { n: attempt + 1 })
      : gettext("attempt %(n)s is running", { n: attempt }),
    images.length > 0 && gettext("%(k)s of %(n)s pictures kept", { k: images.length, n }),
  )] : null;
}

/**
 * What was asked for; it changes with the seed alone, which is drawn late.
 *
 * @param {Task} task
 * @param {number | null} seed
 */
export const meta = ({ width, height, steps, guidance, created }, seed) => [
  size(width, height),
  ngettext("%(n)s step", "%(n)s steps", steps),
  gettext("guidance %(n)s", { n: number(guidance, 0, 2) }),
  ...(seed === null ? [] : [gettext("seed %(n)s", { n: seed })]),
  gettext("sent %(time)s", { time: timeOfDay(created) }),
];

/** @param {TaskState} state */
export const valueText = ({ progress, basis, step }) =>
  gettext("%(percent)s%, %(basis)s, %(step)s", { percent: percent(progress), basis: basisLabel(basis), step: stepLabel(step) });

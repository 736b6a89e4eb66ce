// @ts-check
/** A task's state as the fold of its log; generation/protocol/state.py is the twin on the server. */

/** @import {EventFrame, EventKind, StepName, TaskState} from "../connection/protocol.js" */

/**
 * @param {string} taskId
 * @returns {TaskState}
 */
export function emptyState(taskId) {
  return {
    task_id: taskId,
    seq: 0,
    status: "queued",
    step: "parsing",
    progress: 0,
    basis: "measured",
    eta_seconds: null,
    attempt: 0,
    image: 0,
    fraction: null,
    done: null,
    total: null,
    seed: null,
    cancel_requested: null,
    cancel_reason: null,
    waiting: null,
    error: null,
    images: [],
    timeline: [],
    interruptions: [],
    submitted_at: null,
    claimed_at: null,
    ended_at: null,
    wait_seconds: null,
    run_seconds: null,
    updated_at: null,
  };
}

/** Fields that every frame has of the state after it. */
const CARRIED = /** @type {const} */ ([
  "seq", "status", "step", "progress", "basis", "eta_seconds", "attempt", "image",
]);

/**
 * The state after `frame`. A frame at or before `state.seq` changes nothing; a later one than the
 * next changes nothing either and sets `gap`: read the log again from the cursor.
 *
 * @param {TaskState} state never changed in place
 * @param {EventFrame} frame
 * @returns {{state: TaskState, gap: boolean, applied: boolean}}
 */
export function applyEvent(state, frame) {
  if (frame.seq <= state.seq) return { state, gap: false, applied: false };
  if (frame.seq !== state.seq + 1) return { state, gap: true, applied: false };
  const after = { ...state };
  APPLY[frame.kind]?.(after, frame);
  for (const name of CARRIED) Object.assign(after, { [name]: frame[name] });
  after.updated_at = frame.timestamp;
  return { state: after, gap: false, applied: true };
}

/**
 * @param {TaskState} state
 * @param {number} at
 */
function closeSpan(state, at) {
  const last = state.timeline.at(-1);
  if (last && last.ended === null) {
    state.timeline = [...state.timeline.slice(0, -1), { ...last, ended: at }];
  }
}

/**
 * @param {TaskState} state
 * @param {EventFrame} frame
 * @param {StepName} step
 * @param {number | null} ended
 */
function openSpan(state, frame, step, ended) {
  state.timeline = [
    ...state.timeline,
    {
      attempt: frame.attempt,
      image: frame.image,
      step,
      began: frame.timestamp,
      ended,
      observed: frame.details.observed ?? true,
    },
  ];
}

/** @param {TaskState} state */
function clearProgress(state) {
  state.fraction = state.done = state.total = null;
}

/**
 * @param {TaskState} state
 * @param {EventFrame} frame
 */
function end(state, frame) {
  closeSpan(state, frame.timestamp);
  state.ended_at = frame.timestamp;
  state.waiting = null;
  state.wait_seconds = frame.details.wait_seconds ?? null;
  state.run_seconds = frame.details.run_seconds ?? null;
}

/** @type {Record<EventKind, (state: TaskState, frame: EventFrame) => void>} */
const APPLY = {
  submitted(state, frame) {
    state.submitted_at = frame.timestamp;
    openSpan(state, frame, "parsing", frame.timestamp);
  },
  claimed(state, frame) {
    state.claimed_at ??= frame.timestamp;
    state.waiting = null;
    clearProgress(state);
  },
  step_began(state, frame) {
    closeSpan(state, frame.timestamp);
    openSpan(state, frame, frame.step, null);
    state.waiting = null;
    if ("seed" in frame.details) state.seed = frame.details.seed;
    if (frame.step === "generating") {
      state.fraction = 0;
      state.done = 0;
      state.total = frame.details.steps ?? null;
    } else if (frame.step === "decoding") {
      state.fraction = 1;
      state.done = state.total;
    } else if (frame.step !== "finishing") {
      clearProgress(state);
    }
  },
  progressed(state, frame) {
    state.fraction = frame.details.fraction;
    state.done = frame.details.done;
    state.total = frame.details.total;
  },
  image_stored(state, frame) {
    state.images = [...state.images, frame.details.image];
  },
  delayed(state, frame) {
    state.waiting = { reason: frame.details.reason, until: frame.details.until };
  },
  cancel_requested(state, frame) {
    state.cancel_requested = frame.details.stops;
    state.cancel_reason = frame.details.reason ?? null;
  },
  interrupted(state, frame) {
    closeSpan(state, frame.timestamp);
    state.interruptions = [
      ...state.interruptions,
      {
        attempt: state.attempt,
        reason: frame.details.reason,
        step: state.step,
        progress: state.progress,
        at: frame.timestamp,
      },
    ];
    state.waiting = null;
    clearProgress(state);
  },
  completed(state, frame) {
    end(state, frame);
    openSpan(state, frame, "completed", frame.timestamp);
  },
  failed(state, frame) {
    end(state, frame);
    state.error = { code: frame.code ?? "", step: frame.step, message: frame.message };
  },
  cancelled: end,
};

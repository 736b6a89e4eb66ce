/** Event logs for tests: each method appends one frame, as the server would write it. */

import { applyEvent } from "../../static/studio/js/state/reducer.js";

export const T0 = 1_800_000_000;

/** The state after all of `frames`; a RangeError where one is missing. */
export function fold(state, frames) {
  for (const frame of frames) {
    const step = applyEvent(state, frame);
    if (step.gap) throw new RangeError(`event ${frame.seq} after ${state.seq}`);
    state = step.state;
  }
  return state;
}

class Log {
  frames = [];

  constructor(taskId) {
    this.taskId = taskId;
    this.now = { status: "queued", step: "parsing", progress: 0, basis: "measured", eta_seconds: null, attempt: 0, image: 0 };
  }

  add(kind, change = {}, details = {}, extra = {}) {
    this.now = { ...this.now, ...change };
    this.frames.push({
      type: "progress", task_id: this.taskId, seq: this.frames.length + 1, kind, ...this.now,
      message: "", details, timestamp: T0 + this.frames.length, ...extra,
    });
    return this;
  }

  submitted() {
    return this.add("submitted");
  }

  claimed(attempt) {
    return this.add("claimed", { status: "running", attempt, step: "loading" }, { worker: "w", model: "m" });
  }

  begins(step, details = {}, change = {}) {
    const basis = step === "generating" ? "measured" : "estimated";
    return this.add("step_began", { step, basis, image: Math.max(1, this.now.image), ...change }, { observed: true, ...details });
  }

  progressed(done, total, progress) {
    return this.add("progressed", { progress, basis: "measured", eta_seconds: 5 }, { fraction: done / total, done, total });
  }

  stored(index) {
    return this.add("image_stored", {}, { bytes: 10, image: picture(index) });
  }

  interrupted(reason) {
    return this.add("interrupted", { status: "queued", step: "parsing", progress: 0 }, { reason, counted: true, stored: 0 });
  }

  cancelRequested(stops) {
    return this.add("cancel_requested", {}, { stops });
  }

  cancelled() {
    return this.add("cancelled", { status: "cancelled", eta_seconds: null }, { wait_seconds: 1, run_seconds: 2 }, { type: "cancelled" });
  }

  failed(code) {
    return this.add("failed", { status: "failed", eta_seconds: null }, {}, { type: "error", code });
  }

  completed() {
    const ends = { status: "completed", step: "completed", progress: 100, basis: "measured", eta_seconds: null };
    return this.add("completed", ends, { wait_seconds: 1.5, run_seconds: 6.25 }, { type: "result" });
  }

  whole() {
    this.submitted().claimed(1).begins("loading").begins("preparing", { seed: 7 });
    this.begins("generating", { steps: 4 });
    for (const done of [1, 2, 3, 4]) this.progressed(done, 4, 20 * done);
    return this.begins("decoding").begins("finishing").stored(1).completed().frames;
  }
}

export const log = (taskId) => new Log(taskId);

export const picture = (index) => ({
  index, url: `/pictures/t/${index}/`, thumbnail_url: `/pictures/t/${index}/thumbnail/`,
  width: 512, height: 512, seed: 7 + index, demo: true,
});

export const task = (change = {}) => ({
  prompt: "LiuJuan", negative_prompt: "", model: "LiuJuan20260223Zimage", width: 512, height: 512,
  n: 1, steps: 9, guidance: 0, seed: null, parent: null, created: T0, request_key: null, cancel_after: null,
  expected: { loading: 1, preparing: 0.2, generating: 5, decoding: 0.5, finishing: 0.2 }, ...change,
});

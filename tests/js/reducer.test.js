import assert from "node:assert/strict";
import { test } from "node:test";

import { applyEvent, emptyState } from "../../static/studio/js/state/reducer.js";
import { fold, log } from "./logs.js";

test("a whole log folds to a finished task with its pictures and its seven steps", () => {
  const state = fold(emptyState("t"), log("t").whole());
  assert.equal(state.status, "completed");
  assert.equal(state.progress, 100);
  assert.equal(state.images.length, 1);
  assert.deepEqual(
    state.timeline.map((span) => span.step),
    ["parsing", "loading", "preparing", "generating", "decoding", "finishing", "completed"],
  );
  assert.ok(state.timeline.every((span) => span.ended !== null));
});

test("folding a prefix and then the rest gives the same as folding all, at every cut", () => {
  const frames = log("t").whole();
  const all = fold(emptyState("t"), frames);
  for (let cut = 0; cut <= frames.length; cut += 1) {
    const half = fold(emptyState("t"), frames.slice(0, cut));
    assert.deepEqual(fold(half, frames.slice(cut)), all);
  }
});

test("a known frame changes nothing", () => {
  const [first] = log("t").whole();
  const { state } = applyEvent(emptyState("t"), first);
  const again = applyEvent(state, first);
  assert.equal(again.state, state);
  assert.equal(again.gap, false);
});

test("a frame after a gap sets the flag and is not applied", () => {
  const [first, , third] = log("t").whole();
  const { state } = applyEvent(emptyState("t"), first);
  const torn = applyEvent(state, third);
  assert.equal(torn.gap, true);
  assert.equal(torn.state, state);
});

test("applying an event does not change the previous state", () => {
  const frames = log("t").whole();
  let state = emptyState("t");
  for (const frame of frames) {
    const before = JSON.stringify(state);
    const next = applyEvent(state, frame).state;
    assert.equal(JSON.stringify(state), before);
    state = next;
  }
});

test("an interruption keeps the step of the attempt, and the next one adds its own spans", () => {
  const timeline = log("t").submitted().claimed(1).begins("loading").begins("generating", { steps: 4 });
  timeline.progressed(2, 4, 40).interrupted("lease_expired").claimed(2).begins("loading");
  const state = fold(emptyState("t"), timeline.frames);
  assert.deepEqual(
    state.interruptions.map(({ attempt, reason, step, progress }) => [attempt, reason, step, progress]),
    [[1, "lease_expired", "generating", 40]],
  );
  assert.equal(state.fraction, null);
  assert.deepEqual(state.timeline.at(-1)?.attempt, 2);
});

test("a failure keeps its code, its step and the measured progress", () => {
  const timeline = log("t").submitted().claimed(1).begins("generating", { steps: 8 });
  timeline.progressed(3, 8, 30).failed("model_lost");
  const state = fold(emptyState("t"), timeline.frames);
  assert.equal(state.error?.code, "model_lost");
  assert.equal(state.error?.step, "generating");
  assert.equal(state.done, 3);
  assert.notEqual(state.ended_at, null);
});

test("a request to cancel is not the cancellation", () => {
  const timeline = log("t").submitted().claimed(1).begins("generating", { steps: 8 }).cancelRequested("step");
  const asked = fold(emptyState("t"), timeline.frames);
  assert.equal(asked.status, "running");
  assert.equal(asked.cancel_requested, "step");
  const done = fold(asked, timeline.cancelled().frames.slice(-1));
  assert.equal(done.status, "cancelled");
});

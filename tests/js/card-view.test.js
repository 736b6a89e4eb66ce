import assert from "node:assert/strict";
import { test } from "node:test";

import { describe } from "../../static/studio/js/card/card-view.js";
import { emptyState } from "../../static/studio/js/state/reducer.js";
import { outputSize } from "../../static/studio/js/composer/composer-fields.js";
import { T0, fold, log, task } from "./logs.js";

// as in the catalogue of the page
globalThis.studioLabels = {
  step: { decoding: "Decoding the picture" },
  reason: { model_down: "The model server cannot be reached" },
  interruption: { lease_expired: "The worker stopped responding" },
  error: { model_lost: "It restarts by itself; try again in a minute." },
};

const viewOf = (timeline, { entry = null, now = T0 + timeline.frames.length, ...change } = {}) =>
  describe(task(change), fold(emptyState("t"), timeline.frames), { entry, now });

const generating = () => log("t").submitted().claimed(1).begins("loading").begins("generating", { steps: 28 });

test("a queued task shows its position, an estimate and the first step as passed", () => {
  const entry = { position: 3, eta_seconds: 25.2, basis: "estimated", reason: "in_line" };
  const card = viewOf(log("t").submitted(), { entry });
  assert.equal(card.texts.headline, "Position 3 in queue");
  assert.equal(card.texts.remaining, "starts in about 25 s");
  assert.equal(card.shown["remaining-basis"], true);
  assert.equal(card.current, 0);
});

test("a queue that does not move shows the reason instead of a time", () => {
  const entry = { position: 1, eta_seconds: 5, basis: "estimated", reason: "model_down" };
  const card = viewOf(log("t").submitted(), { entry });
  assert.equal(card.texts.remaining, "The model server cannot be reached");
  assert.equal(card.shown["remaining-basis"], false);
});

test("a running task shows picture, step and the measured share", () => {
  const card = viewOf(generating().progressed(18, 28, 41.9), { n: 4 });
  assert.equal(card.texts.headline, "Picture 1 of 4 · step 18 of 28");
  assert.equal(card.texts.percent, "41");
  assert.equal(card.marks.basis, "measured");
  assert.equal(card.fill, 18 / 28);
  assert.equal(card.shown.cancel, true);
});

test("the percent is not rounded up to a hundred", () => {
  assert.equal(viewOf(generating().progressed(28, 28, 99.9)).texts.percent, "99");
});

test("a step without measured progress has an estimated head and no fill", () => {
  const card = viewOf(generating().progressed(28, 28, 90).begins("decoding"), { expected: { decoding: 10 } });
  assert.equal(card.fill, null);
  assert.ok(card.head !== null && card.head > 0 && card.head < 1);
  assert.equal(card.marks.basis, "estimated");
});

test("a slow step shows its duration and no estimate", () => {
  const timeline = generating().progressed(28, 28, 90).begins("decoding");
  const card = viewOf(timeline, { now: T0 + timeline.frames.length + 60, expected: { decoding: 0.6 } });
  assert.equal(card.marks.overdue, true);
  assert.equal(card.head, null);
  assert.match(card.texts["note-text"], /usually 0\.6 s; still working/);
});

test("stopping shows what the GPU does, not the result", () => {
  const card = viewOf(generating().progressed(3, 28, 10).cancelRequested("step"));
  assert.equal(card.texts.headline, "Stopping: the GPU stops when this step ends");
  assert.equal(card.marks.status, "running");
  assert.equal(card.shown.cancel, false);
});

test("a failure shows the step, the reason and what to do", () => {
  const card = viewOf(generating().progressed(28, 28, 90).begins("decoding").failed("model_lost"));
  assert.equal(card.texts.headline, "Failed at step 5");
  assert.equal(card.texts["note-lead"], "Decoding the picture");
  assert.match(card.texts["note-text"], /try again in a minute/);
  assert.equal(card.shown.retry, true);
});

test("an unknown error code is shown with its message", () => {
  const timeline = generating();
  timeline.add("failed", { status: "failed" }, {}, { type: "error", code: "solar_flare", message: "太阳耀斑" });
  assert.equal(viewOf(timeline).texts["note-text"], "太阳耀斑");
});

test("an interrupted task shows the reason, the next attempt and the kept pictures", () => {
  const timeline = generating().stored(1).interrupted("lease_expired");
  const card = viewOf(timeline, { n: 4 });
  assert.equal(card.texts["note-lead"], "The worker stopped responding");
  assert.equal(card.texts["note-text"], "back in the queue, attempt 2 is next · 1 of 4 pictures kept");
});

test("a finished task shows why it needed another attempt", () => {
  const card = viewOf(generating().interrupted("lease_expired").claimed(2).begins("loading").completed());
  assert.equal(card.texts["note-lead"], "The worker stopped responding");
  assert.equal(card.texts["note-text"], "drawn in attempt 2");
});

test("a finished task shows the times of waiting and drawing", () => {
  const timeline = log("t");
  timeline.whole();
  const card = viewOf(timeline);
  assert.equal(card.texts.headline, "Done · waited 1.5 s · drawn in 6.3 s");
  assert.equal(card.texts.percent, "100");
  assert.equal(card.marks.layout, "ended");
});

test("every preset gives valid sides close to the requested area", () => {
  for (const ratio of ["1:1", "3:4", "4:3", "9:16", "16:9"]) {
    for (const scale of [512, 768, 1024]) {
      const [width, height] = outputSize(ratio, scale, { min: "256", max: "2048", step: "16" });
      for (const side of [width, height]) {
        assert.equal(side % 16, 0);
        assert.ok(side >= 256 && side <= 2048);
      }
      assert.ok(Math.abs(width * height - scale * scale) / (scale * scale) < 0.06, `${ratio} ${scale}`);
    }
  }
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { describe } from "../../static/studio/js/card/card-view.js";
import { emptyState } from "../../static/studio/js/state/reducer.js";
import { outputSize } from "../../static/studio/js/composer/composer-fields.js";
import { T0, fold, log, task } from "./logs.js";

// as the catalogue of the page brings them
globalThis.studioLabels = {
  step: { decoding: "Decoding the picture" },
  reason: { model_down: "The model server cannot be reached" },
  interruption: { lease_expired: "The worker stopped responding" },
  error: { model_lost: "It restarts by itself; try again in a minute." },
};

const view = (timeline, { entry = null, now = T0 + timeline.frames.length, ...change } = {}) =>
  describe(task(change), fold(emptyState("t"), timeline.frames), { entry, now });

const generating = () => log("t").submitted().claimed(1).begins("loading").begins("generating", { steps: 28 });

test("a queued task tells its position, the estimate and that the first step has passed", () => {
  const entry = { position: 3, eta_seconds: 25.2, basis: "estimated", reason: "in_line" };
  const told = view(log("t").submitted(), { entry });
  assert.equal(told.texts.headline, "Position 3 in queue");
  assert.equal(told.texts.remaining, "starts in about 25 s");
  assert.equal(told.shown["remaining-basis"], true);
  assert.equal(told.current, 0);
});

test("a line that does not move says why instead of a time", () => {
  const entry = { position: 1, eta_seconds: 5, basis: "estimated", reason: "model_down" };
  const told = view(log("t").submitted(), { entry });
  assert.equal(told.texts.remaining, "The model server cannot be reached");
  assert.equal(told.shown["remaining-basis"], false);
});

test("while it draws it tells picture, step and the measured share", () => {
  const told = view(generating().progressed(18, 28, 41.9), { n: 4 });
  assert.equal(told.texts.headline, "Picture 1 of 4 · step 18 of 28");
  assert.equal(told.texts.percent, "41");
  assert.equal(told.marks.basis, "measured");
  assert.equal(told.fill, 18 / 28);
  assert.equal(told.shown.cancel, true);
});

test("just before the end the percent is not rounded up to a hundred", () => {
  assert.equal(view(generating().progressed(28, 28, 99.9)).texts.percent, "99");
});

test("a step without a measure has an estimated head and no fill", () => {
  const told = view(generating().progressed(28, 28, 90).begins("decoding"), { expected: { decoding: 10 } });
  assert.equal(told.fill, null);
  assert.ok(told.head !== null && told.head > 0 && told.head < 1);
  assert.equal(told.marks.basis, "estimated");
});

test("a step that takes much longer than usual says so and shows no estimate inside", () => {
  const timeline = generating().progressed(28, 28, 90).begins("decoding");
  const told = view(timeline, { now: T0 + timeline.frames.length + 60, expected: { decoding: 0.6 } });
  assert.equal(told.marks.overdue, true);
  assert.equal(told.head, null);
  assert.match(told.texts["note-text"], /usually 0\.6 s; still working/);
});

test("stopping is told as what the machine does, not as done", () => {
  const told = view(generating().progressed(3, 28, 10).cancelRequested("step"));
  assert.equal(told.texts.headline, "Stopping: the GPU stops when this step ends");
  assert.equal(told.marks.status, "running");
  assert.equal(told.shown.cancel, false);
});

test("a failure names the step, the reason and the next move", () => {
  const told = view(generating().progressed(28, 28, 90).begins("decoding").failed("model_lost"));
  assert.equal(told.texts.headline, "Failed at step 5");
  assert.equal(told.texts["note-lead"], "Decoding the picture");
  assert.match(told.texts["note-text"], /try again in a minute/);
  assert.equal(told.shown.retry, true);
});

test("a code of a newer server is shown with the sentence it came with", () => {
  const timeline = generating();
  timeline.add("failed", { status: "failed" }, {}, { type: "error", code: "solar_flare", message: "太阳耀斑" });
  assert.equal(view(timeline).texts["note-text"], "太阳耀斑");
});

test("after an interruption it says why, what comes next and what is kept", () => {
  const timeline = generating().stored(1).interrupted("lease_expired");
  const told = view(timeline, { n: 4 });
  assert.equal(told.texts["note-lead"], "The worker stopped responding");
  assert.equal(told.texts["note-text"], "back in the queue, attempt 2 is next · 1 of 4 pictures kept");
});

test("a finished task still says why it needed another attempt", () => {
  const told = view(generating().interrupted("lease_expired").claimed(2).begins("loading").completed());
  assert.equal(told.texts["note-lead"], "The worker stopped responding");
  assert.equal(told.texts["note-text"], "drawn in attempt 2");
});

test("when it is done it tells waiting and drawing apart", () => {
  const timeline = log("t");
  timeline.whole();
  const told = view(timeline);
  assert.equal(told.texts.headline, "Done · waited 1.5 s · drawn in 6.3 s");
  assert.equal(told.texts.percent, "100");
  assert.equal(told.marks.layout, "ended");
});

test("every preset gives sides that the server takes, close to the area asked for", () => {
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

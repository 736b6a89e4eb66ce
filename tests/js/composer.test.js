// What the composer makes of a text, and what it says before anything is sent.

import assert from "node:assert/strict";
import { test } from "node:test";

import { linesOf, withRefused } from "../../static/studio/js/composer/composer-lines.js";
import { nearestOf, isBlank } from "../../static/studio/js/composer/composer-errors.js";
import { changedFields, drawsTheSame } from "../../static/studio/js/composer/composer-origin.js";
import { describeWait, sendLabel } from "../../static/studio/js/composer/composer-wait.js";
import { readSettings } from "../../static/studio/js/composer/pasted-settings.js";

const WORK = { width: 512, height: 512, steps: 9, n: 1, tasks: 1 };
const EXPECTED = { loading: 1, preparing: 1, generating: 9, decoding: 0.5, finishing: 0.5 };

function model(wait = {}, expected = null, replicas = 1) {
  const place = { position: 1, eta_seconds: 0, basis: "estimated", reason: "in_line", ...wait };
  return { name: "m", ready: true, replicas, reason: "in_line", seconds_per_step: null, expected, wait: place };
}

test("empty lines are no tasks", () => {
  assert.deepEqual(linesOf("  one \n\n \r\n two"), ["one", "two"]);
});

test("of an untouched set only what was refused is left", () => {
  assert.equal(withRefused("a\nb\nc", "a\nb\nc", ["b"]), "b");
});

test("what was written since is kept, and what was refused stands below it", () => {
  assert.equal(withRefused("something new\n", "a\nb", ["b"]), "something new\nb");
  assert.equal(withRefused("b is still here", null, ["b"]), "b is still here");
});

test("only what would be sent differently counts as changed", () => {
  const before = { prompt: "a", size: "512x512", steps: 9, seed: 0 };

  assert.deepEqual(changedFields(before, { ...before }), []);
  assert.deepEqual(changedFields(before, { prompt: "a", size: "512x512", steps: 10 }), ["seed", "steps"]);
});

test("what would draw the same picture again is known as such", () => {
  const before = { prompt: "a", size: "512x512", n: 1, steps: 9, guidance: 0, seed: 7 };

  assert.equal(drawsTheSame(before, { ...before }), true);
  assert.equal(drawsTheSame(before, { ...before, n: 4, negative_prompt: "fog" }), true);
  for (const change of [{ seed: 8 }, { steps: 10 }, { prompt: "b" }, { guidance: 4, negative_prompt: "fog" }]) {
    assert.equal(drawsTheSame(before, { ...before, ...change }), false);
  }
});

test("a free machine begins at once, and the time to draw is told once it was measured", () => {
  assert.deepEqual(describeWait(model(), WORK, true), { tone: "ready", lead: "Starts at once", rest: "", estimated: false });
  const told = describeWait(model({}, EXPECTED), WORK, true);
  assert.deepEqual([told.rest, told.estimated], ["about 12 s to draw", true]);
});

test("the time to draw is of all pictures of all tasks, in all their steps", () => {
  const rest = (work, replicas) => describeWait(model({}, EXPECTED, replicas), { ...WORK, ...work }, true).rest;

  assert.equal(rest({ n: 4 }), "about 45 s to draw");
  assert.equal(rest({ n: 4, tasks: 2 }), "about 2 min to draw");
  assert.equal(rest({ n: 4, tasks: 2 }, 2), "about 45 s to draw"); // side by side
  assert.equal(rest({ width: 1024, steps: 18 }), "about 40 s to draw"); // 1 + 1 + 2 * (18 + 1)
});

test("of what cannot be sent nothing is estimated", () => {
  assert.deepEqual(describeWait(model({}, EXPECTED), null, true), { tone: "ready", lead: "Starts at once", rest: "", estimated: false });
});

test("the button tells how many pictures it would draw", () => {
  const line = { sending: false, connected: true, reason: null };

  assert.equal(sendLabel(line, 8), "Draw 8 pictures");
  assert.equal(sendLabel(line, 1), "Draw pictures");
});

test("the nearest number that can be sent is offered", () => {
  const side = { name: "width", min: "256", max: "2048", step: "16", defaultValue: "512" };
  const of = (value, input = side) => nearestOf({ ...input, value });

  assert.deepEqual(["1000", "1001", "99999", "1", "0", "-5", "700.5", ""].map((value) => of(value)),
    ["1008", "1008", "2048", "256", "256", "256", "704", "512"]);
  const steps = { name: "steps", min: "1", max: "100", step: "1", defaultValue: "9" };
  assert.deepEqual(["0", "2.6", "500", "100"].map((value) => of(value, steps)), ["1", "3", "100", "100"]);
  const guidance = { name: "guidance", min: "0", max: "30", step: "0.1", defaultValue: "0" };
  assert.deepEqual(["-1", "31", "7.25"].map((value) => of(value, guidance)), ["0", "30", "7.25"]);
});

test("a wait is told in seconds, then in minutes, and always as an estimate", () => {
  const near = describeWait(model({ position: 3, eta_seconds: 40 }), WORK, true);
  assert.deepEqual([near.lead, near.rest, near.estimated], ["Expected wait about 40 s", "Position 3 in queue", true]);
  assert.equal(describeWait(model({ eta_seconds: 150 }), WORK, true).lead, "Expected wait about 3 min");
});

test("who cannot begin is told why, and nothing is told that is not known any more", () => {
  const down = describeWait(model({ reason: "no_worker", eta_seconds: null }), WORK, true);
  assert.deepEqual([down.tone, down.lead], ["down", "no_worker"]); // its words come with the catalogue
  assert.equal(describeWait(model(), WORK, false).tone, "stale");
});

test("settings of a picture are read from its text, as long as they are", () => {
  const text = "a heron,\nink\nNegative prompt: blurry,\nlow\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 156680208700286, Size: 512x768, Model: \"xl, turbo\"";

  assert.deepEqual(readSettings(text), {
    prompt: "a heron,\nink",
    negative_prompt: "blurry,\nlow",
    steps: "20",
    guidance: "7",
    seed: "156680208700286",
    model: "xl, turbo",
    size: ["512", "768"],
  });
});

test("a pair that names the prompt knows it better than the lines", () => {
  const text = 'x\nNegative prompt: y\nSteps: 9, CFG scale: 0, Seed: 1, Prompt: "x\\nNegative prompt: y", Negative prompt: ""';

  assert.deepEqual(readSettings(text), { prompt: "x\nNegative prompt: y", steps: "9", guidance: "0", seed: "1" });
});

test("a poem, a list and a sentence with colons are no settings", () => {
  for (const text of ["one\ntwo\nthree", "Steps: 3 of them", "a cat BREAK a dog", "Style: ink, mood: calm, light: dawn"]) {
    assert.equal(readSettings(text), null);
  }
});

test("what nobody could see says nothing", () => {
  for (const text of ["", " \n", "\u200b\ufeff", "\u3164\u00ad", "\u2800\ufe0f", "\u0301"]) assert.equal(isBlank(text), true);
  for (const text of ["a", "柳", "🌸", "!"]) assert.equal(isBlank(text), false);
});

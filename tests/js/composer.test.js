// What the composer makes of a text, and what it says before anything is sent.

import assert from "node:assert/strict";
import { test } from "node:test";

import { linesOf, withRefused } from "../../static/studio/js/composer/composer-lines.js";
import { nearestOf, isBlank } from "../../static/studio/js/composer/composer-errors.js";
import { describeLimits, reachedText, refusalText, renewed } from "../../static/studio/js/composer/composer-limits.js";
import { changedFields, drawsTheSame } from "../../static/studio/js/composer/composer-origin.js";
import { describeWait, sendLabel } from "../../static/studio/js/composer/composer-wait.js";
import { readSettings } from "../../static/studio/js/composer/pasted-settings.js";

const WORK = { width: 512, height: 512, steps: 9, n: 1, tasks: 1 };
const EXPECTED = { loading: 1, preparing: 1, generating: 9, decoding: 0.5, finishing: 0.5 };

function model(wait = {}, expected = null, replicas = 1) {
  const place = { position: 1, eta_seconds: 0, basis: "estimated", reason: "in_line", ...wait };
  return { name: "m", ready: true, replicas, reason: "in_line", seconds_per_step: null, expected, wait: place };
}

test("empty lines become no tasks", () => {
  assert.deepEqual(linesOf("  one \n\n \r\n two"), ["one", "two"]);
});

test("of an unchanged text only the refused lines remain", () => {
  assert.equal(withRefused("a\nb\nc", "a\nb\nc", ["b"]), "b");
});

test("refused lines are added below a changed text", () => {
  assert.equal(withRefused("something new\n", "a\nb", ["b"]), "something new\nb");
  assert.equal(withRefused("b is still here", null, ["b"]), "b is still here");
});

test("only settings that would be sent differently are changed", () => {
  const before = { prompt: "a", size: "512x512", steps: 9, seed: 0 };

  assert.deepEqual(changedFields(before, { ...before }), []);
  assert.deepEqual(changedFields(before, { prompt: "a", size: "512x512", steps: 10 }), ["seed", "steps"]);
});

test("settings that draw the same picture are recognised", () => {
  const before = { prompt: "a", size: "512x512", n: 1, steps: 9, guidance: 0, seed: 7 };

  assert.equal(drawsTheSame(before, { ...before }), true);
  assert.equal(drawsTheSame(before, { ...before, n: 4, negative_prompt: "fog" }), true);
  for (const change of [{ seed: 8 }, { steps: 10 }, { prompt: "b" }, { guidance: 4, negative_prompt: "fog" }]) {
    assert.equal(drawsTheSame(before, { ...before, ...change }), false);
  }
});

test("a free replica starts at once, with the time to draw once measured", () => {
  assert.deepEqual(describeWait(model(), WORK, true), { tone: "ready", lead: "Starts at once", rest: "", estimated: false });
  const result = describeWait(model({}, EXPECTED), WORK, true);
  assert.deepEqual([result.rest, result.estimated], ["about 12 s to draw", true]);
});

test("the time to draw includes all steps, pictures and tasks", () => {
  const rest = (work, replicas) => describeWait(model({}, EXPECTED, replicas), { ...WORK, ...work }, true).rest;

  assert.equal(rest({ n: 4 }), "about 45 s to draw");
  assert.equal(rest({ n: 4, tasks: 2 }), "about 2 min to draw");
  assert.equal(rest({ n: 4, tasks: 2 }, 2), "about 45 s to draw"); // side by side
  assert.equal(rest({ width: 1024, steps: 18 }), "about 40 s to draw"); // 1 + 1 + 2 * (18 + 1)
});

test("an invalid form has no estimate", () => {
  assert.deepEqual(describeWait(model({}, EXPECTED), null, true), { tone: "ready", lead: "Starts at once", rest: "", estimated: false });
});

test("the button shows the number of pictures", () => {
  const line = { sending: false, connected: true, reason: null };

  assert.equal(sendLabel(line, 8), "Draw 8 pictures");
  assert.equal(sendLabel(line, 1), "Draw pictures");
});

test("the nearest valid number is offered", () => {
  const side = { name: "width", min: "256", max: "2048", step: "16", defaultValue: "512" };
  const of = (value, input = side) => nearestOf({ ...input, value });

  assert.deepEqual(["1000", "1001", "99999", "1", "0", "-5", "700.5", ""].map((value) => of(value)),
    ["1008", "1008", "2048", "256", "256", "256", "704", "512"]);
  const steps = { name: "steps", min: "1", max: "100", step: "1", defaultValue: "9" };
  assert.deepEqual(["0", "2.6", "500", "100"].map((value) => of(value, steps)), ["1", "3", "100", "100"]);
  const guidance = { name: "guidance", min: "0", max: "30", step: "0.1", defaultValue: "0" };
  assert.deepEqual(["-1", "31", "7.25"].map((value) => of(value, guidance)), ["0", "30", "7.25"]);
});

test("a wait is shown in seconds, then in minutes, as an estimate", () => {
  const near = describeWait(model({ position: 3, eta_seconds: 40 }), WORK, true);
  assert.deepEqual([near.lead, near.rest, near.estimated], ["Expected wait about 40 s", "Position 3 in queue", true]);
  assert.equal(describeWait(model({ eta_seconds: 150 }), WORK, true).lead, "Expected wait about 3 min");
});

test("a blocked queue shows the reason, and outdated values are not shown", () => {
  const down = describeWait(model({ reason: "no_worker", eta_seconds: null }), WORK, true);
  assert.deepEqual([down.tone, down.lead], ["down", "no_worker"]); // its words come with the catalogue
  assert.equal(describeWait(model(), WORK, false).tone, "stale");
});

test("settings of a picture are read from its text", () => {
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

test("a pair with the prompt is preferred to the lines", () => {
  const text = 'x\nNegative prompt: y\nSteps: 9, CFG scale: 0, Seed: 1, Prompt: "x\\nNegative prompt: y", Negative prompt: ""';

  assert.deepEqual(readSettings(text), { prompt: "x\nNegative prompt: y", steps: "9", guidance: "0", seed: "1" });
});

test("a poem, a list and a sentence with colons are no settings", () => {
  for (const text of ["one\ntwo\nthree", "Steps: 3 of them", "a cat BREAK a dog", "Style: ink, mood: calm, light: dawn"]) {
    assert.equal(readSettings(text), null);
  }
});

test("a text of invisible characters is blank", () => {
  for (const text of ["", " \n", "\u200b\ufeff", "\u3164\u00ad", "\u2800\ufe0f", "\u0301"]) assert.equal(isBlank(text), true);
  for (const text of ["a", "柳", "🌸", "!"]) assert.equal(isBlank(text), false);
});

const DAY = { limit: 20, renews_at: 1_000 };

test("without limits no hint is shown", () => {
  assert.deepEqual(describeLimits({}, WORK), { text: "", reached: false });
});

test("what is left of the day is shown before sending", () => {
  assert.deepEqual(describeLimits({ pictures: { ...DAY, left: 17 } }, WORK), { text: "17 left today", reached: false });
  assert.equal(describeLimits({ pictures: { ...DAY, left: 17 } }, null).text, "17 left today");
  assert.equal(describeLimits({ effort: { limit: 1_000, left: 456, renews_at: 1 } }, null).text, "45% of the drawing effort left today");
});

test("a limit that refuses the form as it is precedes all others", () => {
  const limits = { pictures: { ...DAY, left: 3 }, submissions: { limit: 2, left: 2, renews_at: 60 } };

  assert.equal(describeLimits(limits, WORK).reached, false);
  const many = describeLimits(limits, { ...WORK, n: 4 });
  assert.match(many.text, /^Only 3 of 20 left today; back at \d\d:\d\d$/);
  assert.equal(many.reached, true);
  assert.match(describeLimits(limits, { ...WORK, tasks: 3 }).text, /^2 tasks a minute; back at/);
  assert.match(describeLimits({ pictures: { ...DAY, left: 0 } }, null).text, /^All 20 used today; back at \d\d:\d\d$/);
});

test("the effort of a task is pixels by steps by pictures, of all tasks", () => {
  const one = 512 * 512 * 9;
  const limits = { task_effort: { limit: 2 * one, left: 2 * one, renews_at: null }, effort: { limit: 9 * one, left: 3 * one, renews_at: 1 } };

  assert.equal(describeLimits(limits, { ...WORK, n: 2 }).reached, false);
  assert.match(describeLimits(limits, { ...WORK, n: 3 }).text, /^Too large for one task/);
  assert.match(describeLimits(limits, { ...WORK, n: 2, tasks: 2 }).text, /^Not enough drawing effort left/);
});

test("each kind of limit has a sentence", () => {
  for (const kind of ["unfinished", "task_effort", "storage", "pictures", "effort", "submissions"]) {
    assert.notEqual(reachedText({ kind, limit: 1, left: 0, renews_at: null }), "");
  }
});

test("a limit is renewed when its time has come", () => {
  const limits = { pictures: { ...DAY, left: 0 }, storage: { limit: 9, left: 1, renews_at: null } };

  assert.deepEqual(renewed(limits, 999), limits);
  assert.equal(renewed(limits, 1_000).pictures.left, 20);
  assert.deepEqual(renewed(limits, 1_000).storage, limits.storage);
});

test("a refusal names the words that are not accepted", () => {
  const refusal = { code: "words_refused", message: "not accepted", data: { words: ["gun", "knife"] } };
  assert.match(refusalText(/** @type {any} */ (refusal)), /“gun” “knife”$/);
});

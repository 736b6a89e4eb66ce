/**
 * What cards and lines of the event log say: a question per line on stdin, what the scripts say of it on stdout.
 * Arguments: a language, and a file with its catalogue.
 */

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { runInThisContext } from "node:vm";

const [language, catalogue] = process.argv.slice(2);
globalThis.document = { documentElement: { lang: language, dataset: { base: "/" } } };
runInThisContext(readFileSync(catalogue, "utf8"));

const { describe, meta, valueText } = await import("../../static/studio/js/card/card-view.js");
const { shapeLabel } = await import("../../static/studio/js/card/picture-frames.js");
const { describeWait, modelWords, paceWords } = await import("../../static/studio/js/composer/composer-wait.js");
const { eventSentence } = await import("../../static/studio/js/card/task-timeline.js");

for await (const line of createInterface({ input: process.stdin })) {
  const { frame, model, work, task, state, place, now } = JSON.parse(line);
  const told = frame ? eventSentence(frame) : model ? prospect(model, work) : card(task, state, place, now);
  console.log(JSON.stringify(told));
}

function card(task, state, place, now) {
  const { marks, texts, shown, times, position, current } = describe(task, state, { entry: place, now });
  return {
    marks: { ...marks, stopping: marks.stopping ?? "" },
    texts: { ...texts, "frame-label": shapeLabel(task) },
    shown,
    times,
    current,
    blocks: Math.min(position, 8),
    meta: meta(task, state.seed ?? task.seed),
    value: valueText(state),
  };
}

function prospect(model, work) {
  const { estimated, ...texts } = describeWait(model, { ...work, tasks: 1 }, true);
  return { ...texts, is_estimate: estimated, is_ready: model.ready, state: modelWords(model, true), pace: paceWords(model, work) };
}

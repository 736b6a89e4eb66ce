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

const { describe, meta, stepWeight, valueText } = await import("../../static/studio/js/card/card-view.js");
const { pastLabel } = await import("../../static/studio/js/card/past-steps.js");
const { isDrawn, pictureAlt, shapeLabel } = await import("../../static/studio/js/card/picture-frames.js");
const { readTask } = await import("../../static/studio/js/state/task-store.js");
const { STEPS } = await import("../../static/studio/js/connection/protocol.js");
const { describeWait, modelText, paceText } = await import("../../static/studio/js/composer/composer-wait.js");
const { describeLimits } = await import("../../static/studio/js/composer/composer-limits.js");
const { eventSentence } = await import("../../static/studio/js/card/task-timeline.js");

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(answer(JSON.parse(line))));
}

function answer({ embedded, frame, limits, model, work, task, state, queue, now }) {
  if (embedded) return readTask(embedded);
  if (frame) return eventSentence(frame);
  if (limits) return describeLimits(limits, { ...work, tasks: 1 });
  return model ? composerWait(model, work) : card(task, state, queue, now);
}

function card(task, state, queue, now) {
  const { marks, texts, shown, times, blocks, current, fill } = describe(task, state, { entry: queue, now });
  const { stale, ...marksShown } = marks; // a page of the server is never stale
  return {
    marks: { ...marksShown, stopping: marks.stopping ?? "", pictures: String(marks.pictures), kept: String(marks.kept) },
    texts: { ...texts, "frame-label": shapeLabel(task) },
    shown,
    blocks,
    meta: meta(task, state.seed ?? task.seed, now),
    bar: [texts.percent, valueText(state)],
    basis: marks.basis,
    steps: STEPS.map((step, i) => ({
      step,
      time: times[i],
      weight: stepWeight(task, step),
      current: i === current,
      live: i === current && marks.layout !== "ended",
      fill: i === current && fill !== null ? fill.toFixed(4) : null,
    })),
    past: state.interruptions.map(({ attempt, step }) => ({ label: pastLabel(attempt), step })),
    pictures: Array.from({ length: task.n }, (_, i) => picture(task, state, i + 1)),
  };
}

function picture(task, state, number) {
  const image = state.images.find(({ index }) => index === number);
  const drawn = isDrawn(state, number);
  if (!image) return { drawn, label: String(number) };
  if (image.withheld) return { drawn };
  return { drawn, url: image.url, thumbnail: image.thumbnail_url, alt: pictureAlt(task, number), favourite: !!image.favourite, demo: image.demo };
}

function composerWait(model, work) {
  const { estimated, ...texts } = describeWait(model, { ...work, tasks: 1 }, true);
  return { ...texts, is_estimate: estimated, is_ready: model.ready, state: modelText(model, true), pace: paceText(model, work) };
}

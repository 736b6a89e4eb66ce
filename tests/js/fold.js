/** One log per line on stdin, its fold per line on stdout; `"gap"` for a log with a hole. */

import { createInterface } from "node:readline";

import { emptyState } from "../../static/studio/js/state/reducer.js";
import { fold } from "./logs.js";

for await (const line of createInterface({ input: process.stdin })) {
  const { task_id: taskId, frames } = JSON.parse(line);
  console.log(JSON.stringify(folded(taskId, frames)));
}

function folded(taskId, frames) {
  try {
    return fold(emptyState(taskId), frames);
  } catch (error) {
    if (error instanceof RangeError) return "gap";
    throw error;
  }
}

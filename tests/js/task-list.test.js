// How many tasks the filters of the task list name.

import assert from "node:assert/strict";
import { test } from "node:test";

import { countsOf } from "../../static/studio/js/card/task-filters.js";

test("tasks with and without a card are counted together", () => {
  const others = { active: 1, completed: 900, stopped: 70 };

  assert.deepEqual(countsOf(others, ["queued", "running", "completed", "failed", "cancelled"]), {
    active: 3, completed: 901, stopped: 72, all: 976,
  });
});

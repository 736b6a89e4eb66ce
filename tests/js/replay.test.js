import assert from "node:assert/strict";
import { test } from "node:test";

import { following, replay } from "./following.js";
import { task } from "./logs.js";
import { aPage } from "./server.js";

test("after hello every unfinished task is attached from its cursor", () => {
  const { channel } = following(5);
  const [attach] = channel().take("attach");
  assert.equal(attach.task_id, "t");
  assert.equal(attach.after, 5);
});

test("a task that is finished on the page is not attached", () => {
  const { channel } = following(Infinity);
  assert.deepEqual(channel().take("attach"), []);
});

test("an active task of another tab is attached from the beginning", () => {
  const page = aPage();
  page.channel().hello([{ task_id: "other", seq: 3 }]);
  assert.equal(page.channel().take("attach")[0].after, 0);
  page.channel().sends({ type: "task", task_id: "other", seq: 3, task: task() });
  assert.deepEqual(page.received.learned, ["other"]);
});

test("the task page ignores other tasks", () => {
  const page = aPage({ wants: () => false });
  page.channel().hello([{ task_id: "other", seq: 3 }]);
  page.channel().sends({ type: "task", task_id: "other", seq: 3, task: task() });
  assert.deepEqual(page.channel().take("attach"), []);
  assert.deepEqual(page.received.learned, []);
});

test("a gap attaches once from the cursor, and the replay closes it", () => {
  const { channel, frames, taskStore } = following(2);
  replay(channel(), []);
  channel().take();
  channel().sends(frames[2]);
  channel().sends(frames[5]);
  channel().sends(frames[6]);
  const attaches = channel().take("attach");
  assert.equal(attaches.length, 1);
  assert.equal(attaches[0].after, 3);
  replay(channel(), frames.slice(3));
  assert.equal(taskStore.state("t").status, "completed");
});

test("a replay that ends before the newest event is repeated", () => {
  const { channel, frames } = following(2);
  channel().take();
  for (const frame of frames.slice(2, 4)) channel().sends(frame);
  channel().sends({ type: "live", task_id: "t", seq: 6 });
  assert.equal(channel().take("attach")[0].after, 4);
});

test("duplicate frames are reported once", () => {
  const { channel, frames, received } = following(2);
  replay(channel(), frames.slice(0, 4));
  channel().sends(frames[3]);
  assert.deepEqual(received.changed.map(([, seq]) => seq), [3, 4]);
});

test("a finished task is detached", () => {
  const { channel, frames } = following(2);
  replay(channel(), []);
  for (const frame of frames.slice(2)) channel().sends(frame);
  assert.deepEqual(channel().take("detach"), [{ action: "detach", task_id: "t" }]);
});

test("a reconnect continues from the cursor and reports the number of events", () => {
  const { channel, channels, frames, clock, received } = following(2);
  replay(channel(), frames.slice(2, 5));
  channel().breaks(1006);
  clock.pass(500);
  assert.equal(channels.length, 2);
  channel().hello([]);
  assert.equal(channel().take("attach")[0].after, 5);
  replay(channel(), frames.slice(5));
  assert.deepEqual(received.caughtUp, [frames.length - 5]);
});

test("changes of other windows are reported, and a reconnect that may have missed some", () => {
  const { channel, clock, received } = following(2);
  channel().sends({ type: "collection", revision: 4, change: "deleted", pictures: [], tasks: ["t"] });
  assert.deepEqual([received.collection, received.reconnected], [[4], 0]);
  channel().breaks(1006);
  clock.pass(500);
  channel().hello([]);
  assert.equal(received.reconnected, 1);
});

test("a task of another user is removed", () => {
  const { channel, received, taskStore } = following(2);
  const [attach] = channel().take("attach");
  channel().sends({ type: "error", code: "not_found", message: "", request_key: attach.request_key });
  assert.deepEqual(received.forgotten, ["t"]);
  assert.deepEqual(taskStore.unfinished(), []);
});

test("two hundred tasks are attached without flooding or a timeout", () => {
  const page = aPage();
  for (let i = 0; i < 200; i += 1) page.taskStore.addTask(`t${i}`, task());
  page.channel().hello();
  const attached = new Set();
  for (let second = 0; second < 15; second += 1) {
    const sent = page.channel().take();
    assert.ok(sent.length <= (second === 0 ? 60 : 20));
    for (const { action, task_id: taskId } of sent) {
      if (action === "ping") page.channel().pong();
      else attached.add(taskId);
    }
    page.clock.pass(1_000);
  }
  assert.equal(attached.size, 200);
  assert.equal(page.channels.length, 1);
  assert.equal(page.socket.connection.phase, "live");
});

test("a log that was shortened meanwhile is read from its beginning", () => {
  const { page, frames } = following(9);
  const [first] = page.channel().take("attach");
  assert.equal(first.after, 9);

  const stored = [...frames.filter(({ kind }) => ["submitted", "claimed", "image_stored"].includes(kind)), frames.at(-1)];
  const shortened = stored.map((frame, i) => ({ ...frame, seq: i + 1 }));
  page.channel().sends({ type: "task", task_id: "t", seq: shortened.length, task: { ...task(), log_pruned_at: 1_800_000_500 } });
  page.channel().sends({ type: "live", task_id: "t", seq: shortened.length });

  const [again] = page.channel().take("attach");
  assert.equal(again.after, 0);
  replay(page.channel(), shortened);
  assert.equal(page.taskStore.state("t").status, "completed");
  assert.equal(page.taskStore.cursor("t"), shortened.length);
  assert.deepEqual(page.channel().take("attach"), []);
});

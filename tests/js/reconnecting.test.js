import assert from "node:assert/strict";
import { test } from "node:test";

import { log, task } from "./logs.js";
import { aPage, generate } from "./server.js";

/** A page that knows task "t" up to its first `seq` events, connected. */
function following(seq, options = {}) {
  const page = aPage(options);
  const frames = log("t").whole();
  page.taskStore.addTask("t", task());
  for (const frame of frames.slice(0, seq)) page.taskStore.apply(frame);
  page.channel().hello([{ task_id: "t", seq }]);
  return { ...page, page, frames };
}

function replay(channel, frames) {
  for (const frame of frames) channel.sends(frame);
  channel.sends({ type: "live", task_id: "t", seq: frames.at(-1)?.seq ?? 0 });
}

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

test("the delay grows from half a second to thirty with full jitter", () => {
  const page = aPage({ random: () => 1 });
  const waits = [];
  for (let i = 0; i < 9; i += 1) {
    page.channel().breaks(1006);
    waits.push(page.socket.connection.retryAt - page.clock.now);
    page.clock.pass(waits.at(-1));
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  const lucky = aPage({ random: () => 0 });
  lucky.channel().breaks(1006);
  assert.equal(lucky.socket.connection.retryAt, lucky.clock.now);
});

test("a connection that ends right after hello counts as a failure", () => {
  const page = aPage({ random: () => 1 });
  for (const wait of [500, 1000, 2000]) {
    page.channel().hello();
    page.channel().breaks(1006);
    assert.equal(page.socket.connection.retryAt - page.clock.now, wait);
    page.clock.pass(wait);
  }
  page.channel().hello();
  page.channel().pong();
  page.clock.pass(6_000);
  page.channel().breaks(1006);
  assert.equal(page.socket.connection.retryAt - page.clock.now, 500);
});

test("a leaving server is reconnected at once, but only after a hello", () => {
  const page = aPage({ random: () => 1 });
  page.channel().hello();
  page.channel().breaks(4503);
  assert.equal(page.socket.connection.retryAt, page.clock.now);
  page.clock.pass(0);
  assert.equal(page.channels.length, 2);
  page.channel().breaks(4503);
  assert.ok(page.socket.connection.retryAt > page.clock.now);
});

for (const [code, reason] of [[4401, "sign_in"], [4403, "refused"]]) {
  test(`close code ${code} ends all tries: ${reason}`, () => {
    const page = aPage();
    page.channel().hello();
    page.channel().breaks(code);
    page.clock.pass(120_000);
    page.socket.retryNow();
    assert.equal(page.channels.length, 1);
    assert.equal(page.socket.connection.phase, "stopped");
    assert.equal(page.socket.connection.reason, reason);
  });
}

test("another protocol version stops the connection", () => {
  const page = aPage();
  page.channel().hello([], 2);
  assert.equal(page.socket.connection.reason, "protocol");
  assert.equal(page.channel().closed, 1000);
});

test("retry now does not wait for the delay", () => {
  const page = aPage({ random: () => 1 });
  page.channel().breaks(1006);
  page.socket.retryNow();
  assert.equal(page.channels.length, 2);
  page.clock.pass(60);
  assert.equal(page.channels.length, 2);
});

test("a device without a network is offline at once, and closes a silent channel", () => {
  const { socket, channel, channels, clock, page } = following(2);
  channel().pong();
  page.online = false;
  socket.handleOffline();
  assert.deepEqual([socket.connection.phase, socket.connection.lostAt], ["offline", clock.now]);
  clock.pass(3_000);
  assert.equal(channels[0].closed, 4000);
  assert.equal(socket.connection.phase, "offline");
});

test("a channel that answers is live, even on an offline device", () => {
  const { socket, channel, channels, clock } = following(2);
  channel().pong();
  channel().take();
  socket.handleOffline();
  socket.request(generate("k"));
  assert.deepEqual(channel().take().map(({ action }) => action), ["ping", "generate"]);
  channel().pong();
  assert.deepEqual([socket.connection.phase, socket.connection.lostAt], ["live", null]);
  clock.pass(9_000);
  assert.equal(channels.length, 1);
});

test("a network that comes back is tested, or used at once", () => {
  const { socket, channel, channels, clock } = following(2);
  channel().pong();
  channel().take();
  socket.handleOnline();
  assert.equal(channel().take("ping").length, 1);
  clock.pass(3_000); // the channel had gone with the old network
  assert.equal(channels[0].closed, 4000);
  socket.handleOnline();
  assert.equal(channels.length, 2);
});

test("without a network the page is offline and still retries", () => {
  const page = aPage({ random: () => 1 });
  page.online = false;
  page.channel().breaks(1006);
  assert.equal(page.socket.connection.phase, "offline");
  page.clock.pass(500);
  assert.equal(page.channels.length, 2);
});

test("cursors are sent every twenty seconds, and the round trip is measured", () => {
  const { channel, clock, socket, frames } = following(4);
  replay(channel(), []);
  assert.deepEqual(channel().take("ping")[0].cursors, { t: 4 });
  clock.pass(9);
  channel().pong();
  assert.equal(socket.connection.latencyMs, 9);
  channel().sends(frames[4]);
  clock.pass(20_000);
  assert.deepEqual(channel().take("ping")[0].cursors, { t: 5 });
});

test("a silent server is disconnected and retried", () => {
  const page = aPage({ random: () => 0 });
  page.channel().hello();
  page.clock.pass(10_000);
  assert.equal(page.channels[0].closed, 4000);
  assert.equal(page.channels.length, 2);
});

test("a server without hello is disconnected", () => {
  const page = aPage({ random: () => 0 });
  page.clock.pass(10_000);
  assert.equal(page.channels[0].closed, 4000);
});

test("frames of an older connection are ignored", () => {
  const page = aPage({ random: () => 0 });
  page.channel().hello();
  page.clock.pass(10_000);
  const [old] = page.channels;
  page.channels[1].hello();
  old.hello([{ task_id: "ghost", seq: 1 }]);
  old.breaks(4401);
  assert.equal(page.socket.connection.phase, "live");
  assert.deepEqual(page.taskStore.unfinished(), []);
});

test("a submission without a connection is sent after hello, once", () => {
  const page = aPage();
  page.socket.request(generate("k1"));
  assert.deepEqual(page.channel().take(), []);
  page.channel().hello();
  assert.equal(page.channel().take("generate").length, 1);
});

test("an unanswered submission is sent again with the same key until its ack", () => {
  const page = aPage({ random: () => 0 });
  page.channel().hello();
  page.socket.request(generate("k1"));
  page.channel().take();
  page.channel().breaks(1006);
  page.clock.pass(0);
  page.channel().hello();
  assert.deepEqual(page.channel().take("generate").map((m) => m.request_key), ["k1"]);
  page.channel().sends({ type: "ack", task_id: "new", request_key: "k1", duplicate: true });
  assert.deepEqual(page.received.accepted, [{ taskId: "new", duplicate: true, key: "k1" }]);
  page.channel().breaks(1006);
  page.clock.pass(0);
  page.channel().hello();
  assert.deepEqual(page.channel().take("generate"), []);
});

test("pending requests survive a reload of the tab, for the same user only", () => {
  const first = aPage();
  first.socket.request(generate("k1"));
  const again = aPage({ store: first.store });
  again.channel().hello();
  assert.equal(again.channel().take("generate").length, 1);
  const somebodyElse = aPage({ store: first.store, owner: "wang" });
  somebodyElse.channel().hello();
  assert.deepEqual(somebodyElse.channel().take("generate"), []);
});

test("after an ack without the task the page attaches", () => {
  const page = aPage();
  page.channel().hello();
  page.socket.request(generate("k1"));
  page.channel().sends({ type: "ack", task_id: "new", request_key: "k1", duplicate: false });
  assert.equal(page.channel().take("attach")[0].task_id, "new");
  page.channel().sends(log("new").submitted().frames[0]);
  page.channel().sends({ type: "task", task_id: "new", seq: 1, task: task({ request_key: "k1" }) });
  assert.deepEqual(page.received.learned, ["new"]);
  assert.equal(page.taskStore.cursor("new"), 1);
});

test("an ack with the task is shown without an attach", () => {
  const page = aPage();
  page.channel().hello();
  page.socket.request(generate("k1"));
  page.channel().sends({ type: "ack", task_id: "new", request_key: "k1", duplicate: false, task: task() });
  assert.deepEqual(page.channel().take("attach"), []);
  assert.deepEqual(page.received.learned, ["new"]);
  for (const frame of log("new").whole()) page.channel().sends(frame);
  assert.equal(page.taskStore.state("new").status, "completed");
});

test("a refusal without a key belongs to the oldest unanswered message", () => {
  const page = aPage();
  page.channel().hello();
  page.socket.request(generate("k1"));
  page.socket.request(generate("k2"));
  page.channel().sends({ type: "error", code: "size_invalid", field: "size", message: "" });
  assert.deepEqual(page.received.refused, [["k1", "size_invalid"]]);
  assert.deepEqual(page.requests.all().map((m) => m.request_key), ["k2"]);
});

test("a refusal is reported with its message and nothing is sent again", () => {
  const page = aPage({ random: () => 0 });
  page.channel().hello();
  page.socket.request(generate("k1"));
  page.channel().sends({ type: "error", code: "prompt_empty", field: "prompt", message: "", request_key: "k1" });
  assert.deepEqual(page.received.refused, [["k1", "prompt_empty"]]);
  assert.deepEqual(page.requests.all(), []);
});

test("a server that is unavailable gets the same key again later", () => {
  const page = aPage({ random: () => 0 });
  page.channel().hello();
  page.channel().pong();
  page.socket.request(generate("k1"));
  page.channel().take();
  page.channel().sends({ type: "error", code: "unavailable", message: "", request_key: "k1" });
  assert.deepEqual(page.channel().take("generate"), []);
  page.clock.pass(1_000);
  assert.deepEqual(page.channel().take("generate").map((m) => m.request_key), ["k1"]);
});

test("a task of another user is removed", () => {
  const { channel, received, taskStore } = following(2);
  const [attach] = channel().take("attach");
  channel().sends({ type: "error", code: "not_found", message: "", request_key: attach.request_key });
  assert.deepEqual(received.forgotten, ["t"]);
  assert.deepEqual(taskStore.unfinished(), []);
});

test("a cancel is kept until its answer or the end of the task", () => {
  const { socket, channel, requests, frames } = following(2);
  replay(channel(), []);
  socket.request({ action: "cancel", task_id: "t", request_key: "c1" });
  channel().sends({ type: "answer", action: "cancel", task_id: "t", answer: "requested" });
  assert.deepEqual(requests.all(), []);
  socket.request({ action: "cancel", task_id: "t", request_key: "c2" });
  for (const frame of frames.slice(2)) channel().sends(frame);
  assert.deepEqual(requests.all(), []);
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

test("a ping is sent before waiting messages", () => {
  const page = aPage();
  for (let i = 0; i < 500; i += 1) page.taskStore.addTask(`t${i}`, task());
  page.channel().hello();
  page.clock.pass(1_000);
  assert.equal(page.channel().take("ping").length, 1);
  page.channel().pong();
  page.clock.pass(20_000);
  assert.equal(page.channel().take("ping").length, 1);
  page.clock.pass(10_000);
  assert.equal(page.channels[0].closed, 4000);
});

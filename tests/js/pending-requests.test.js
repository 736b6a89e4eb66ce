import assert from "node:assert/strict";
import { test } from "node:test";

import { following, replay } from "./following.js";
import { log, task } from "./logs.js";
import { aPage, generate } from "./server.js";

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

test("a second request with the same content is known until the first is answered", () => {
  const first = aPage();
  first.socket.request(generate("k1"));
  const again = aPage({ store: first.store }).requests;

  assert.equal(again.hasSame(generate("k2")), true);
  assert.equal(again.hasSame({ ...generate("k2"), seed: 7 }), false);
  again.settle("k1");
  assert.equal(again.hasSame(generate("k2")), false);
});

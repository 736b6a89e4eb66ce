import assert from "node:assert/strict";
import { test } from "node:test";

import { createTransports } from "../../static/studio/js/connection/transport-choice.js";
import { task } from "./logs.js";
import { Memory, aClosedPage, aPage, generate, settle } from "./server.js";

const soon = { random: () => 0 };

/** Every attempt ends without `hello` until another transport is used. */
async function failUntilStep(page, tries) {
  for (let i = 0; i < tries; i += 1) {
    page.channel().breaks(1006);
    await settle();
    page.clock.pass(0);
  }
}

/** A page whose WebSocket is blocked, on the event stream. */
async function onStream(options = {}) {
  const page = aPage({ ...soon, ...options });
  await failUntilStep(page, 2);
  page.channel().hello();
  page.channel().pong();
  return page;
}

/** Let time pass on a channel that answers its pings. */
async function quiet(page, channel, minutes) {
  for (let i = 0; i < minutes * 12; i += 1) {
    page.clock.pass(5_000);
    channel.pong();
    await settle();
  }
}

const transports = (page) => page.channels.map(({ transport }) => transport);

test("a WebSocket without hello is replaced by an event stream after two tries", async () => {
  const page = aPage(soon);
  await failUntilStep(page, 2);
  assert.deepEqual(transports(page), ["ws", "ws", "sse"]);
  page.channel().hello();
  assert.equal(page.socket.connection.phase, "live");
  assert.equal(page.socket.connection.transport, "sse");
  assert.equal(page.socket.connection.why, "blocked");
});

test("a silent WebSocket is replaced too", async () => {
  const page = aPage(soon);
  for (let i = 0; i < 2; i += 1) {
    page.clock.pass(10_000);
    await settle();
  }
  page.clock.pass(0);
  assert.equal(page.channel().transport, "sse");
});

test("a fallback begins at the time up to which the page knows everything", async () => {
  const page = aPage(soon);
  assert.equal(page.transports.since, null);
  page.channel().hello();
  page.channel().sends({ type: "pong", cursors: {}, server_time: 1_800_000_020 });
  const opened = [];
  const transports = createTransports({ ws: (since) => opened.push(since), load: async () => ({}), store: null, clock: page.clock });
  transports.open();
  transports.since = page.transports.since;
  transports.open();
  assert.deepEqual(opened, [null, 1_800_000_020]);
});

test("a pending request is sent once on the other transport", async () => {
  const page = aPage(soon);
  page.socket.request(generate("k1"));
  await failUntilStep(page, 2);
  page.channel().hello();
  assert.deepEqual(page.channel().take("generate").map((m) => m.request_key), ["k1"]);
});

test("a stream without hello is replaced by polling after eight seconds", async () => {
  const page = aPage(soon);
  await failUntilStep(page, 2);
  page.clock.pass(8_000);
  await settle();
  page.clock.pass(0);
  assert.equal(page.channel().transport, "poll");
  page.channel().hello();
  assert.equal(page.socket.connection.why, "held_back");
});

test("a stream that falls silent twice is replaced by polling", async () => {
  const page = await onStream();
  page.channel().breaks(4000);
  await settle();
  page.clock.pass(0);
  assert.equal(page.channel().transport, "sse");
  page.channel().hello();
  page.channel().breaks(4000);
  await settle();
  assert.equal(page.channel().transport, "poll");
});

test("a tab over the limit of streams polls", async () => {
  const page = aPage(soon);
  await failUntilStep(page, 2);
  page.channel().breaks(4429);
  await settle();
  assert.equal(page.channel().transport, "poll");
  assert.equal(page.socket.connection.why, "too_many");
});

test("without a network there is no fallback, and the countdown goes on", async () => {
  const page = aPage({ random: () => 1 });
  page.online = false;
  for (let i = 0; i < 9; i += 1) {
    page.channel().breaks(1006);
    await settle();
    assert.ok(page.socket.connection.retryAt > page.clock.now);
    page.clock.pass(30_000);
  }
  assert.deepEqual(new Set(transports(page)), new Set(["ws"]));
});

test("a restart of the server is not a blocked WebSocket", async () => {
  const page = aPage(soon);
  page.channel().hello();
  page.channel().breaks(4503);
  page.clock.pass(0);
  await failUntilStep(page, 3);
  assert.deepEqual(new Set(transports(page)), new Set(["ws"]));
  page.channel().hello();
  assert.equal(page.socket.connection.transport, "ws");
});

test("a WebSocket that has worked is replaced after four tries", async () => {
  const page = aPage(soon);
  page.channel().hello();
  page.channel().breaks(1006);
  page.clock.pass(0);
  await failUntilStep(page, 4);
  assert.equal(page.channel().transport, "sse");
});

test("a close code of the server is no failure of the transport", async () => {
  const page = aPage(soon);
  for (let i = 0; i < 6; i += 1) {
    page.channel().breaks(4503);
    await settle();
    page.clock.pass(0);
  }
  assert.deepEqual(new Set(transports(page)), new Set(["ws"]));
});

test("the tab stores the transport until the WebSocket works again", async () => {
  const store = new Memory();
  await onStream({ store });
  const again = aClosedPage({ ...soon, store });
  await again.transports.prepare();
  again.socket.start();
  assert.deepEqual(transports(again), ["sse"]);
  assert.equal(again.socket.connection.why, "earlier");
  again.channel().hello();
  await quiet(again, again.channel(), 1);
  assert.equal(again.channel().transport, "ws");
  again.channel().hello();
  assert.equal(store.getItem("studio.transport"), null);
});

test("a better transport is tried after a minute, then at longer and longer intervals", async () => {
  const page = await onStream();
  const [stream] = page.channels.slice(-1);
  const tried = [];
  for (let minute = 1; minute <= 30; minute += 1) {
    await quiet(page, stream, 1);
    if (page.channel() === stream || page.channel().closed !== null) continue;
    tried.push(minute);
    page.channel().breaks(1006);
  }
  assert.deepEqual(tried, [1, 3, 7, 15, 25]);
  assert.equal(page.socket.connection.phase, "live");
});

test("a better transport takes over without a gap or a lost connection", async () => {
  const page = await onStream();
  page.taskStore.addTask("t", task());
  await quiet(page, page.channel(), 1);
  const [, , stream, socket] = page.channels;
  assert.equal(stream.closed, null);
  socket.hello([{ task_id: "t", seq: 0 }]);
  assert.equal(stream.closed, 1000);
  assert.equal(socket.take("attach")[0].task_id, "t");
  assert.equal(page.socket.connection.transport, "ws");
  assert.deepEqual(page.received.phases.slice(-2), ["connecting", "live"]);
  stream.breaks(1006);
  assert.equal(page.socket.connection.phase, "live");
});

test("a better transport without hello is closed, and the next one is tried", async () => {
  const page = await onStream();
  page.channel().breaks(4429);
  await settle();
  page.channel().hello();
  const polling = page.channel();
  await quiet(page, polling, 1);
  const probe = page.channel();
  assert.equal(probe.transport, "ws");
  page.clock.pass(5_000);
  polling.pong();
  page.clock.pass(5_000);
  assert.equal(probe.closed, 1000);
  assert.equal(page.channel().transport, "sse");
  page.channel().hello();
  assert.equal(page.socket.connection.transport, "sse");
  assert.equal(polling.closed, 1000);
});

test("a task that is behind the cursor of a pong is attached", () => {
  const page = aPage(soon);
  page.taskStore.addTask("t", task());
  page.channel().hello();
  page.channel().sends({ type: "live", task_id: "t", seq: 0 });
  page.channel().take();
  page.channel().pong({ t: 3, other: 9 });
  assert.deepEqual(page.channel().take("attach").map(({ task_id, after }) => [task_id, after]), [["t", 0]]);
});

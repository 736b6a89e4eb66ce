import assert from "node:assert/strict";
import { test } from "node:test";

import { createLadder } from "../../static/studio/js/connection/transports.js";
import { task } from "./logs.js";
import { Memory, aClosedPage, aPage, generate, settle } from "./server.js";

const soon = { random: () => 0 };

/** Every attempt ends without `hello` until another transport is used. */
async function failUntilStep(page, tries) {
  for (let i = 0; i < tries; i += 1) {
    page.line().breaks(1006);
    await settle();
    page.clock.pass(0);
  }
}

/** A page whose WebSocket is blocked, on the event stream. */
async function onStream(options = {}) {
  const page = aPage({ ...soon, ...options });
  await failUntilStep(page, 2);
  page.line().hello();
  page.line().pong();
  return page;
}

/** Let time pass on a line that answers its pings. */
async function quiet(page, line, minutes) {
  for (let i = 0; i < minutes * 12; i += 1) {
    page.clock.pass(5_000);
    line.pong();
    await settle();
  }
}

const rungs = (page) => page.lines.map(({ rung }) => rung);

test("a WebSocket that never says hello is given up for an event stream after two tries", async () => {
  const page = aPage(soon);
  await failUntilStep(page, 2);
  assert.deepEqual(rungs(page), ["ws", "ws", "sse"]);
  page.line().hello();
  assert.equal(page.socket.connection.phase, "live");
  assert.equal(page.socket.connection.rung, "sse");
  assert.equal(page.socket.connection.why, "blocked");
});

test("a WebSocket that is only silent is given up too", async () => {
  const page = aPage(soon);
  for (let i = 0; i < 2; i += 1) {
    page.clock.pass(10_000);
    await settle();
  }
  page.clock.pass(0);
  assert.equal(page.line().rung, "sse");
});

test("a lower way begins with the time up to which the page knew everything", async () => {
  const page = aPage(soon);
  assert.equal(page.ladder.since, null);
  page.line().hello();
  page.line().says({ type: "pong", cursors: {}, server_time: 1_800_000_020 });
  const opened = [];
  const ladder = createLadder({ ws: (since) => opened.push(since), load: {}, isReachable: async () => true, store: null, clock: page.clock });
  ladder.open();
  ladder.since = page.ladder.since;
  ladder.open();
  assert.deepEqual(opened, [null, 1_800_000_020]);
});

test("what was waiting goes out once on the other way", async () => {
  const page = aPage(soon);
  page.socket.ask(generate("k1"));
  await failUntilStep(page, 2);
  page.line().hello();
  assert.deepEqual(page.line().take("generate").map((m) => m.request_key), ["k1"]);
});

test("a stream that is held back is given up for polling after eight seconds", async () => {
  const page = aPage(soon);
  await failUntilStep(page, 2);
  page.clock.pass(8_000);
  await settle();
  page.clock.pass(0);
  assert.equal(page.line().rung, "poll");
  page.line().hello();
  assert.equal(page.socket.connection.why, "held_back");
});

test("a stream that falls silent after hello, and does so again, is given up for polling", async () => {
  const page = await onStream();
  page.line().breaks(4000);
  await settle();
  page.clock.pass(0);
  assert.equal(page.line().rung, "sse");
  page.line().hello();
  page.line().breaks(4000);
  await settle();
  assert.equal(page.line().rung, "poll");
});

test("one tab too many polls", async () => {
  const page = aPage(soon);
  await failUntilStep(page, 2);
  page.line().breaks(4429);
  await settle();
  assert.equal(page.line().rung, "poll");
  assert.equal(page.socket.connection.why, "too_many");
});

test("without a network no other way is looked for, and the countdown goes on", async () => {
  const page = aPage({ random: () => 1 });
  page.online = false;
  for (let i = 0; i < 9; i += 1) {
    page.line().breaks(1006);
    await settle();
    assert.ok(page.socket.connection.retryAt > page.clock.now);
    page.clock.pass(30_000);
  }
  assert.deepEqual(new Set(rungs(page)), new Set(["ws"]));
});

test("a server that restarts is not a WebSocket that is blocked", async () => {
  const page = aPage(soon);
  page.line().hello();
  page.line().breaks(4503);
  page.clock.pass(0);
  await failUntilStep(page, 3);
  assert.deepEqual(new Set(rungs(page)), new Set(["ws"]));
  page.line().hello();
  assert.equal(page.socket.connection.rung, "ws");
});

test("a network that lets WebSockets through no more is left after four tries", async () => {
  const page = aPage(soon);
  page.line().hello();
  page.line().breaks(1006);
  page.clock.pass(0);
  await failUntilStep(page, 4);
  assert.equal(page.line().rung, "sse");
});

test("whatever close code the server gives, its words came through", async () => {
  const page = aPage(soon);
  for (let i = 0; i < 6; i += 1) {
    page.line().breaks(4503);
    await settle();
    page.clock.pass(0);
  }
  assert.deepEqual(new Set(rungs(page)), new Set(["ws"]));
});

test("the way is remembered by the tab, and forgotten when the WebSocket works again", async () => {
  const store = new Memory();
  await onStream({ store });
  const again = aClosedPage({ ...soon, store });
  await again.ladder.prepare();
  again.socket.start();
  assert.deepEqual(rungs(again), ["sse"]);
  assert.equal(again.socket.connection.why, "earlier");
  again.line().hello();
  await quiet(again, again.line(), 1);
  assert.equal(again.line().rung, "ws");
  again.line().hello();
  assert.equal(store.getItem("studio.rung"), null);
});

test("a better way is tried after a minute, then more and more seldom", async () => {
  const page = await onStream();
  const [stream] = page.lines.slice(-1);
  const tried = [];
  for (let minute = 1; minute <= 30; minute += 1) {
    await quiet(page, stream, 1);
    if (page.line() === stream || page.line().closed !== null) continue;
    tried.push(minute);
    page.line().breaks(1006);
  }
  assert.deepEqual(tried, [1, 3, 7, 15, 25]);
  assert.equal(page.socket.connection.phase, "live");
});

test("a better way takes over without a gap, and nothing is said of a loss", async () => {
  const page = await onStream();
  page.ledger.learn("t", task());
  await quiet(page, page.line(), 1);
  const [, , stream, socket] = page.lines;
  assert.equal(stream.closed, null);
  socket.hello([{ task_id: "t", seq: 0 }]);
  assert.equal(stream.closed, 1000);
  assert.equal(socket.take("attach")[0].task_id, "t");
  assert.equal(page.socket.connection.rung, "ws");
  assert.deepEqual(page.heard.phases.slice(-2), ["connecting", "live"]);
  stream.breaks(1006);
  assert.equal(page.socket.connection.phase, "live");
});

test("a better way that is silent too is let go, and the one below is tried", async () => {
  const page = await onStream();
  page.line().breaks(4429);
  await settle();
  page.line().hello();
  const polling = page.line();
  await quiet(page, polling, 1);
  const probe = page.line();
  assert.equal(probe.rung, "ws");
  page.clock.pass(5_000);
  polling.pong();
  page.clock.pass(5_000);
  assert.equal(probe.closed, 1000);
  assert.equal(page.line().rung, "sse");
  page.line().hello();
  assert.equal(page.socket.connection.rung, "sse");
  assert.equal(polling.closed, 1000);
});

test("what a pong knows more of is asked for", () => {
  const page = aPage(soon);
  page.ledger.learn("t", task());
  page.line().hello();
  page.line().says({ type: "live", task_id: "t", seq: 0 });
  page.line().take();
  page.line().pong({ t: 3, other: 9 });
  assert.deepEqual(page.line().take("attach").map(({ task_id, after }) => [task_id, after]), [["t", 0]]);
});

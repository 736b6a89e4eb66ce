import assert from "node:assert/strict";
import { test } from "node:test";

import { following, replay } from "./following.js";
import { task } from "./logs.js";
import { aPage, generate } from "./server.js";

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

test("a session that ends is tried once more with the cookie of now", () => {
  const page = aPage();
  page.channel().hello();
  page.channel().breaks(4401);
  page.clock.pass(0);
  page.channel().hello();
  assert.equal(page.socket.connection.phase, "live");
  page.channel().breaks(4401);
  page.clock.pass(0);
  assert.equal(page.channels.length, 3);
  page.channel().breaks(4401);
  page.clock.pass(120_000);
  assert.equal(page.channels.length, 3);
  assert.equal(page.socket.connection.reason, "sign_in");
});

for (const [code, reason] of [[4401, "sign_in"], [4403, "refused"]]) {
  test(`close code ${code} ends all tries: ${reason}`, () => {
    const page = aPage();
    if (code === 4403) page.channel().hello();
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

test("frames ahead of the pong show that a slow channel is alive", () => {
  const { channel, channels, clock, frames, socket } = following(4);
  for (const frame of frames.slice(4, 6)) {
    clock.pass(9_000);
    channel().sends(frame);
  }
  clock.pass(9_000);
  channel().pong();
  assert.deepEqual([channels.length, socket.connection.phase], [1, "live"]);
  clock.pass(20_000);
  channel().sends(frames[6]);
  clock.pass(10_000);
  assert.equal(channels[0].closed, 4000);
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

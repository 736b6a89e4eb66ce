import assert from "node:assert/strict";
import { test } from "node:test";

import { HttpRefusal } from "../../static/studio/js/connection/http.js";
import { withCursors } from "../../static/studio/js/connection/http-transport.js";
import { PollChannel } from "../../static/studio/js/connection/poll.js";
import { SseChannel } from "../../static/studio/js/connection/sse.js";
import { Clock, settle } from "./server.js";

/** Records the frames and close codes of a channel. */
function recording(channel) {
  const received = { frames: [], codes: [] };
  channel.addEventListener("message", ({ data }) => received.frames.push(JSON.parse(data)));
  channel.addEventListener("close", ({ code }) => received.codes.push(code));
  return received;
}

/** The server's end of POST: responds in order of the requests, on demand. */
function counter() {
  const requests = [];
  const post = (message) =>
    new Promise((resolve, reject) => {
      requests.push({ message, answer: (...frames) => resolve({ frames }), refuse: (...why) => reject(new HttpRefusal(...why)) });
    });
  return { requests, post };
}

class Source extends EventTarget {
  closed = false;

  close = () => (this.closed = true);

  sends(frame) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(frame) }));
  }

  tells(name, data = {}) {
    this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) }));
  }
}

const ticking = (clock) => ({ now: () => clock.now, setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout });

function aStream(cursors = {}, since = null) {
  const clock = new Clock();
  const source = new Source();
  const { requests, post } = counter();
  let url = "";
  const channel = new SseChannel({ post, cursors: () => cursors, mostNamed: 100, since, listen: (requests) => ((url = requests), source), clock: ticking(clock) });
  return { clock, source, requests, channel, url, received: recording(channel) };
}

const hello = (...active) => ({ type: "hello", server_time: 1_000, active: active.map((task_id) => ({ task_id, seq: 1 })) });
const send = (channel, message) => channel.send(JSON.stringify(message));
const actions = (requests) => requests.map(({ message }) => message.action);

test("a stream is opened with the cursors of the page", () => {
  assert.equal(decodeURIComponent(aStream({ t: 4 }).url), '/events/?cursors={"t":4}');
  assert.equal(decodeURIComponent(aStream({}, 1_800.5).url), "/events/?cursors={}&since=1800.5");
});

test("a URL stays short enough for every proxy", () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [crypto.randomUUID(), i]));
  const url = withCursors("/events/", many, 100, 1_800_000_000.123);
  assert.ok(url.length < 8_000);
  assert.ok(url.includes("499") && !url.includes(encodeURIComponent(":1,")));
});

test("tasks that the stream replays are not attached again", async () => {
  const { channel, source, requests, received } = aStream();
  source.sends(hello("t"));
  send(channel, { action: "attach", task_id: "t", after: 0 });
  send(channel, { action: "attach", task_id: "elsewhere", after: 0 });
  source.sends({ type: "live", task_id: "t", seq: 3 });
  send(channel, { action: "attach", task_id: "t", after: 2 });
  send(channel, { action: "detach", task_id: "t" });
  await settle();
  assert.deepEqual(requests.map(({ message }) => message.task_id), ["elsewhere"]);
  requests[0].answer({ type: "error", code: "not_found" });
  await settle();
  assert.deepEqual(requests.map(({ message }) => message.task_id), ["elsewhere", "t"]);
  assert.deepEqual(received.frames.map(({ type }) => type), ["hello", "live", "error"]);
});

test("messages are sent one after the other, and their answers are received as on a socket", async () => {
  const { channel, requests, received } = aStream();
  send(channel, { action: "generate", prompt: "first" });
  send(channel, { action: "cancel", task_id: "t" });
  await settle();
  assert.deepEqual(actions(requests), ["generate"]);
  requests[0].answer({ type: "ack", task_id: "t" }, { type: "progress", task_id: "t", seq: 1 });
  await settle();
  assert.deepEqual(actions(requests), ["generate", "cancel"]);
  assert.deepEqual(received.frames.map(({ type }) => type), ["ack", "progress"]);
});

for (const [why, code] of [
  [[403, "not_signed_in"], 4401],
  [[403, "account_disabled"], 4403],
  [[403, "unavailable"], 4401],
  [[429, "flooding"], 4429],
  [[503, "unavailable"], 1006],
  [[0, "unavailable"], 1006],
]) {
  test(`a request refused with ${why.join(" ")} ends the channel as ${code} would end a socket`, async () => {
    const { channel, requests, received, source } = aStream();
    send(channel, { action: "ping", cursors: {} });
    send(channel, { action: "ping", cursors: {} });
    await settle();
    requests[0].refuse(...why, "");
    await settle();
    assert.deepEqual(received.codes, [code]);
    assert.ok(source.closed);
    assert.equal(requests.length, 1);
  });
}

test("the server's close event ends the channel with its code", () => {
  const { source, received } = aStream();
  source.tells("close", { code: 4503 });
  source.tells("close", { code: 4401 });
  assert.deepEqual(received.codes, [4503]);
  assert.ok(source.closed);
});

test("a broken stream is a lost connection", () => {
  const { source, received } = aStream();
  source.dispatchEvent(new Event("error"));
  assert.deepEqual(received.codes, [1006]);
});

test("a stream without any event for forty seconds is silent", () => {
  const { source, received, clock } = aStream();
  for (let i = 0; i < 8; i += 1) {
    clock.pass(15_000);
    source.tells("alive");
  }
  assert.deepEqual(received.codes, []);
  clock.pass(40_000);
  assert.deepEqual(received.codes, [4000]);
});

test("a device that slept waits again before it closes the stream", () => {
  const { received, clock } = aStream();
  clock.now += 600_000;
  clock.pass(0);
  assert.deepEqual(received.codes, []);
  clock.pass(40_000);
  assert.deepEqual(received.codes, [4000]);
});

test("a closed channel dispatches nothing", async () => {
  const { channel, source, requests, received, clock } = aStream();
  send(channel, { action: "ping" });
  await settle();
  channel.close();
  requests[0].answer({ type: "pong" });
  source.sends(hello());
  clock.pass(60_000);
  await settle();
  assert.deepEqual(received, { frames: [], codes: [] });
});

function aPoll(since = null) {
  const clock = new Clock();
  const { requests, post } = counter();
  const polls = counter();
  const state = { cursors: { t: 1 }, hidden: false };
  const channel = new PollChannel({ post, since, get: polls.post, cursors: () => state.cursors, mostNamed: 100, isHidden: () => state.hidden, clock });
  return { clock, requests, polls: polls.requests, state, channel, received: recording(channel) };
}

async function answered(poll, ...frames) {
  poll.polls.at(-1).answer(...frames);
  await settle();
}

test("polling has an interval of two seconds while a task is unfinished, and one hello", async () => {
  const poll = aPoll();
  await answered(poll, hello("t"), { type: "live", task_id: "t", seq: 1 });
  poll.state.cursors = { t: 2 };
  poll.clock.pass(1_999);
  assert.equal(poll.polls.length, 1);
  poll.clock.pass(1);
  assert.equal(decodeURIComponent(poll.polls[1].message), '/events/poll/?cursors={"t":2}&since=1000');
  await answered(poll, hello("t"), { type: "progress", task_id: "t", seq: 3 });
  assert.deepEqual(poll.received.frames.map(({ type }) => type), ["hello", "live", "progress"]);
});

test("polling requests tasks since the last response, without those that it received", async () => {
  const poll = aPoll(900);
  poll.state.cursors = {};
  const query = () => decodeURIComponent(poll.polls.at(-1).message.split("?")[1]);
  const next = async (serverTime, ...frames) => {
    await answered(poll, { ...hello(), server_time: serverTime }, ...frames);
    poll.clock.pass(10_000);
    return query();
  };
  assert.equal(query(), 'cursors={"t":1}&since=900');
  const ended = { type: "cancelled", kind: "cancelled", status: "cancelled", task_id: "t", seq: 2, timestamp: 995 };
  assert.equal(await next(1_000, { type: "task", task_id: "t" }, ended), 'cursors={"t":2}&since=1000');
  assert.equal(await next(1_080), 'cursors={"t":2}&since=1080');
  assert.equal(await next(1_090), "cursors={}&since=1090");
  assert.deepEqual(poll.received.frames.map(({ type }) => type), ["hello", "task", "cancelled"]);
});

test("polling is slower without unfinished tasks, and slower still on a hidden page", async () => {
  const poll = aPoll();
  poll.state.cursors = {};
  await answered(poll, hello());
  poll.clock.pass(9_999);
  assert.equal(poll.polls.length, 1);
  poll.clock.pass(1);
  poll.state.hidden = true;
  await answered(poll, hello());
  poll.clock.pass(29_999);
  assert.equal(poll.polls.length, 2);
  poll.clock.pass(1);
  assert.equal(poll.polls.length, 3);
});

test("polling follows an answered message at once", async () => {
  const poll = aPoll();
  await answered(poll, hello());
  poll.state.cursors = {};
  send(poll.channel, { action: "generate", prompt: "now" });
  await settle();
  poll.clock.pass(0);
  assert.deepEqual(actions(poll.requests), ["generate"]);
  assert.equal(poll.polls.length, 1); // no frame of it could arrive yet

  poll.requests[0].answer({ type: "ack", task_id: "new" });
  poll.state.cursors = { new: 1 };
  await settle();
  poll.clock.pass(0);
  assert.equal(poll.polls.length, 2);
  assert.match(decodeURIComponent(poll.polls[1].message), /"new":1/);
});

test("an answer during a poll is followed by another poll at once", async () => {
  const poll = aPoll();
  await answered(poll, hello());
  send(poll.channel, { action: "generate", prompt: "now" });
  await settle();
  poll.clock.pass(2_000);
  assert.equal(poll.polls.length, 2);

  poll.requests[0].answer({ type: "ack", task_id: "new" });
  await settle();
  await answered(poll, hello());
  poll.clock.pass(0);
  assert.equal(poll.polls.length, 3);
});

test("a failed poll is a lost connection, and the last one", async () => {
  const poll = aPoll();
  poll.polls[0].refuse(502, "unavailable", "");
  await settle();
  poll.clock.pass(60_000);
  assert.deepEqual(poll.received.codes, [1006]);
  assert.equal(poll.polls.length, 1);
});

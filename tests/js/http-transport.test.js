import assert from "node:assert/strict";
import { test } from "node:test";

import { HttpRefusal } from "../../static/studio/js/connection/http.js";
import { withCursors } from "../../static/studio/js/connection/http-transport.js";
import { PollChannel } from "../../static/studio/js/connection/poll.js";
import { SseChannel } from "../../static/studio/js/connection/sse.js";
import { Clock, settle } from "./server.js";

/** What a channel says to its page, and what it asks of the server. */
function hearing(channel) {
  const heard = { frames: [], codes: [] };
  channel.addEventListener("message", ({ data }) => heard.frames.push(JSON.parse(data)));
  channel.addEventListener("close", ({ code }) => heard.codes.push(code));
  return heard;
}

/** The server's end of POST: responds in order of the requests, on demand. */
function counter() {
  const asked = [];
  const post = (message) =>
    new Promise((resolve, reject) => {
      asked.push({ message, answer: (...frames) => resolve({ frames }), refuse: (...why) => reject(new HttpRefusal(...why)) });
    });
  return { asked, post };
}

class Source extends EventTarget {
  closed = false;

  close = () => (this.closed = true);

  says(frame) {
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
  const { asked, post } = counter();
  let url = "";
  const channel = new SseChannel({ post, cursors: () => cursors, mostNamed: 100, since, listen: (asked) => ((url = asked), source), clock: ticking(clock) });
  return { clock, source, asked, channel, url, heard: hearing(channel) };
}

const hello = (...active) => ({ type: "hello", server_time: 1_000, active: active.map((task_id) => ({ task_id, seq: 1 })) });
const say = (channel, message) => channel.send(JSON.stringify(message));
const actions = (asked) => asked.map(({ message }) => message.action);

test("a stream is asked for what the page does not know", () => {
  assert.equal(decodeURIComponent(aStream({ t: 4 }).url), '/events/?cursors={"t":4}');
  assert.equal(decodeURIComponent(aStream({}, 1_800.5).url), "/events/?cursors={}&since=1800.5");
});

test("an address stays short enough for every proxy", () => {
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [crypto.randomUUID(), i]));
  const url = withCursors("/events/", many, 100, 1_800_000_000.123);
  assert.ok(url.length < 8_000);
  assert.ok(url.includes("499") && !url.includes(encodeURIComponent(":1,")));
});

test("what the stream brings by itself is not asked for again", async () => {
  const { channel, source, asked, heard } = aStream();
  source.says(hello("t"));
  say(channel, { action: "attach", task_id: "t", after: 0 });
  say(channel, { action: "attach", task_id: "elsewhere", after: 0 });
  source.says({ type: "live", task_id: "t", seq: 3 });
  say(channel, { action: "attach", task_id: "t", after: 2 });
  say(channel, { action: "detach", task_id: "t" });
  await settle();
  assert.deepEqual(asked.map(({ message }) => message.task_id), ["elsewhere"]);
  asked[0].answer({ type: "error", code: "not_found" });
  await settle();
  assert.deepEqual(asked.map(({ message }) => message.task_id), ["elsewhere", "t"]);
  assert.deepEqual(heard.frames.map(({ type }) => type), ["hello", "live", "error"]);
});

test("messages go out one after the other, and their answers are heard as from a socket", async () => {
  const { channel, asked, heard } = aStream();
  say(channel, { action: "generate", prompt: "first" });
  say(channel, { action: "cancel", task_id: "t" });
  await settle();
  assert.deepEqual(actions(asked), ["generate"]);
  asked[0].answer({ type: "ack", task_id: "t" }, { type: "progress", task_id: "t", seq: 1 });
  await settle();
  assert.deepEqual(actions(asked), ["generate", "cancel"]);
  assert.deepEqual(heard.frames.map(({ type }) => type), ["ack", "progress"]);
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
    const { channel, asked, heard, source } = aStream();
    say(channel, { action: "ping", cursors: {} });
    say(channel, { action: "ping", cursors: {} });
    await settle();
    asked[0].refuse(...why, "");
    await settle();
    assert.deepEqual(heard.codes, [code]);
    assert.ok(source.closed);
    assert.equal(asked.length, 1);
  });
}

test("the server's goodbye is its close code", () => {
  const { source, heard } = aStream();
  source.tells("close", { code: 4503 });
  source.tells("close", { code: 4401 });
  assert.deepEqual(heard.codes, [4503]);
  assert.ok(source.closed);
});

test("a stream that breaks is a lost connection", () => {
  const { source, heard } = aStream();
  source.dispatchEvent(new Event("error"));
  assert.deepEqual(heard.codes, [1006]);
});

test("a stream that says nothing for forty seconds is silent, one that is only quiet is not", () => {
  const { source, heard, clock } = aStream();
  for (let i = 0; i < 8; i += 1) {
    clock.pass(15_000);
    source.tells("alive");
  }
  assert.deepEqual(heard.codes, []);
  clock.pass(40_000);
  assert.deepEqual(heard.codes, [4000]);
});

test("a device that slept through the silence listens again before it hangs up", () => {
  const { heard, clock } = aStream();
  clock.now += 600_000;
  clock.pass(0);
  assert.deepEqual(heard.codes, []);
  clock.pass(40_000);
  assert.deepEqual(heard.codes, [4000]);
});

test("a channel that was hung up on says nothing more", async () => {
  const { channel, source, asked, heard, clock } = aStream();
  say(channel, { action: "ping" });
  await settle();
  channel.close();
  asked[0].answer({ type: "pong" });
  source.says(hello());
  clock.pass(60_000);
  await settle();
  assert.deepEqual(heard, { frames: [], codes: [] });
});

function aPoll(since = null) {
  const clock = new Clock();
  const { asked, post } = counter();
  const polls = counter();
  const state = { cursors: { t: 1 }, hidden: false };
  const channel = new PollChannel({ post, since, get: polls.post, cursors: () => state.cursors, mostNamed: 100, isHidden: () => state.hidden, clock });
  return { clock, asked, polls: polls.asked, state, channel, heard: hearing(channel) };
}

async function answered(poll, ...frames) {
  poll.polls.at(-1).answer(...frames);
  await settle();
}

test("polling asks every two seconds while something goes on, and greets once", async () => {
  const poll = aPoll();
  await answered(poll, hello("t"), { type: "live", task_id: "t", seq: 1 });
  poll.state.cursors = { t: 2 };
  poll.clock.pass(1_999);
  assert.equal(poll.polls.length, 1);
  poll.clock.pass(1);
  assert.equal(decodeURIComponent(poll.polls[1].message), '/events/poll/?cursors={"t":2}&since=1000');
  await answered(poll, hello("t"), { type: "progress", task_id: "t", seq: 3 });
  assert.deepEqual(poll.heard.frames.map(({ type }) => type), ["hello", "live", "progress"]);
});

test("polling asks for what came and went since the last answer, and not again for what that brought", async () => {
  const poll = aPoll(900);
  poll.state.cursors = {};
  const asked = () => decodeURIComponent(poll.polls.at(-1).message.split("?")[1]);
  const next = async (serverTime, ...frames) => {
    await answered(poll, { ...hello(), server_time: serverTime }, ...frames);
    poll.clock.pass(10_000);
    return asked();
  };
  assert.equal(asked(), 'cursors={"t":1}&since=900');
  const ended = { type: "cancelled", kind: "cancelled", status: "cancelled", task_id: "t", seq: 2, timestamp: 995 };
  assert.equal(await next(1_000, { type: "task", task_id: "t" }, ended), 'cursors={"t":2}&since=1000');
  assert.equal(await next(1_080), 'cursors={"t":2}&since=1080');
  assert.equal(await next(1_090), "cursors={}&since=1090");
  assert.deepEqual(poll.heard.frames.map(({ type }) => type), ["hello", "task", "cancelled"]);
});

test("polling is slower when nothing goes on, and slower still when nobody looks", async () => {
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

test("polling does not wait once a message has its answer", async () => {
  const poll = aPoll();
  await answered(poll, hello());
  poll.state.cursors = {};
  say(poll.channel, { action: "generate", prompt: "now" });
  await settle();
  poll.clock.pass(0);
  assert.deepEqual(actions(poll.asked), ["generate"]);
  assert.equal(poll.polls.length, 1); // no frame of it could arrive yet

  poll.asked[0].answer({ type: "ack", task_id: "new" });
  poll.state.cursors = { new: 1 };
  await settle();
  poll.clock.pass(0);
  assert.equal(poll.polls.length, 2);
  assert.match(decodeURIComponent(poll.polls[1].message), /"new":1/);
});

test("an answer that comes while a poll is under way is followed up at once", async () => {
  const poll = aPoll();
  await answered(poll, hello());
  say(poll.channel, { action: "generate", prompt: "now" });
  await settle();
  poll.clock.pass(2_000);
  assert.equal(poll.polls.length, 2);

  poll.asked[0].answer({ type: "ack", task_id: "new" });
  await settle();
  await answered(poll, hello());
  poll.clock.pass(0);
  assert.equal(poll.polls.length, 3);
});

test("a poll that fails is a lost connection, and no further one is sent", async () => {
  const poll = aPoll();
  poll.polls[0].refuse(502, "unavailable", "");
  await settle();
  poll.clock.pass(60_000);
  assert.deepEqual(poll.heard.codes, [1006]);
  assert.equal(poll.polls.length, 1);
});

import assert from "node:assert/strict";
import { test } from "node:test";

import { log, task } from "./logs.js";
import { aPage, generate } from "./server.js";

/** A page that knows task "t" up to its first `seq` events, connected. */
function following(seq, options = {}) {
  const page = aPage(options);
  const frames = log("t").whole();
  page.ledger.learn("t", task());
  for (const frame of frames.slice(0, seq)) page.ledger.apply(frame);
  page.line().hello([{ task_id: "t", seq }]);
  return { ...page, page, frames };
}

function replay(line, frames) {
  for (const frame of frames) line.says(frame);
  line.says({ type: "live", task_id: "t", seq: frames.at(-1)?.seq ?? 0 });
}

test("after hello every unfinished task is attached from its cursor", () => {
  const { line } = following(5);
  const [attach] = line().take("attach");
  assert.equal(attach.task_id, "t");
  assert.equal(attach.after, 5);
});

test("a task that is finished on the page is not attached", () => {
  const { line } = following(Infinity);
  assert.deepEqual(line().take("attach"), []);
});

test("an active task of another tab is attached from the beginning and shown when it is told", () => {
  const page = aPage();
  page.line().hello([{ task_id: "other", seq: 3 }]);
  assert.equal(page.line().take("attach")[0].after, 0);
  page.line().says({ type: "task", task_id: "other", seq: 3, task: task() });
  assert.deepEqual(page.heard.learned, ["other"]);
});

test("the task page leaves other tasks alone", () => {
  const page = aPage({ wants: () => false });
  page.line().hello([{ task_id: "other", seq: 3 }]);
  page.line().says({ type: "task", task_id: "other", seq: 3, task: task() });
  assert.deepEqual(page.line().take("attach"), []);
  assert.deepEqual(page.heard.learned, []);
});

test("a gap asks for the log from the cursor, once, and the replay closes it", () => {
  const { line, frames, ledger } = following(2);
  replay(line(), []);
  line().take();
  line().says(frames[2]);
  line().says(frames[5]);
  line().says(frames[6]);
  const attaches = line().take("attach");
  assert.equal(attaches.length, 1);
  assert.equal(attaches[0].after, 3);
  replay(line(), frames.slice(3));
  assert.equal(ledger.state("t").status, "completed");
});

test("a replay that ends before the newest event is asked for again", () => {
  const { line, frames } = following(2);
  line().take();
  for (const frame of frames.slice(2, 4)) line().says(frame);
  line().says({ type: "live", task_id: "t", seq: 6 });
  assert.equal(line().take("attach")[0].after, 4);
});

test("frames that come twice are told once", () => {
  const { line, frames, heard } = following(2);
  replay(line(), frames.slice(0, 4));
  line().says(frames[3]);
  assert.deepEqual(heard.changed.map(([, seq]) => seq), [3, 4]);
});

test("a finished task is let go", () => {
  const { line, frames } = following(2);
  replay(line(), []);
  for (const frame of frames.slice(2)) line().says(frame);
  assert.deepEqual(line().take("detach"), [{ action: "detach", task_id: "t" }]);
});

test("a reconnect continues from the cursor and says how much was caught up", () => {
  const { line, lines, frames, clock, heard } = following(2);
  replay(line(), frames.slice(2, 5));
  line().breaks(1006);
  clock.pass(500);
  assert.equal(lines.length, 2);
  line().hello([]);
  assert.equal(line().take("attach")[0].after, 5);
  replay(line(), frames.slice(5));
  assert.deepEqual(heard.caughtUp, [frames.length - 5]);
});

test("what other windows did is told, and after a break that something may have been missed", () => {
  const { line, clock, heard } = following(2);
  line().says({ type: "collection", revision: 4, change: "deleted", pictures: [], tasks: ["t"] });
  assert.deepEqual([heard.collection, heard.cameBack], [[4], 0]);
  line().breaks(1006);
  clock.pass(500);
  line().hello([]);
  assert.equal(heard.cameBack, 1);
});

test("the delay grows from half a second to thirty with full jitter", () => {
  const page = aPage({ random: () => 1 });
  const waits = [];
  for (let i = 0; i < 9; i += 1) {
    page.line().breaks(1006);
    waits.push(page.socket.connection.retryAt - page.clock.now);
    page.clock.pass(waits.at(-1));
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  const lucky = aPage({ random: () => 0 });
  lucky.line().breaks(1006);
  assert.equal(lucky.socket.connection.retryAt, lucky.clock.now);
});

test("a connection that breaks right after hello still counts as a failure", () => {
  const page = aPage({ random: () => 1 });
  for (const wait of [500, 1000, 2000]) {
    page.line().hello();
    page.line().breaks(1006);
    assert.equal(page.socket.connection.retryAt - page.clock.now, wait);
    page.clock.pass(wait);
  }
  page.line().hello();
  page.line().pong();
  page.clock.pass(6_000);
  page.line().breaks(1006);
  assert.equal(page.socket.connection.retryAt - page.clock.now, 500);
});

test("a server that is leaving is called back at once, but only when it had been there", () => {
  const page = aPage({ random: () => 1 });
  page.line().hello();
  page.line().breaks(4503);
  assert.equal(page.socket.connection.retryAt, page.clock.now);
  page.clock.pass(0);
  assert.equal(page.lines.length, 2);
  page.line().breaks(4503);
  assert.ok(page.socket.connection.retryAt > page.clock.now);
});

for (const [code, reason] of [[4401, "sign_in"], [4403, "refused"]]) {
  test(`close code ${code} ends all tries: ${reason}`, () => {
    const page = aPage();
    page.line().hello();
    page.line().breaks(code);
    page.clock.pass(120_000);
    page.socket.retryNow();
    assert.equal(page.lines.length, 1);
    assert.equal(page.socket.connection.phase, "stopped");
    assert.equal(page.socket.connection.reason, reason);
  });
}

test("another protocol ends the connection and says so", () => {
  const page = aPage();
  page.line().hello([], 2);
  assert.equal(page.socket.connection.reason, "protocol");
  assert.equal(page.line().closed, 1000);
});

test("retry now does not wait for the delay", () => {
  const page = aPage({ random: () => 1 });
  page.line().breaks(1006);
  page.socket.retryNow();
  assert.equal(page.lines.length, 2);
  page.clock.pass(60);
  assert.equal(page.lines.length, 2);
});

test("a device that loses its network says so at once, and hangs up if nothing answers", () => {
  const { socket, line, lines, clock, page } = following(2);
  line().pong();
  page.online = false;
  socket.noteOffline();
  assert.deepEqual([socket.connection.phase, socket.connection.lostAt], ["offline", clock.now]);
  clock.pass(3_000);
  assert.equal(lines[0].closed, 4000);
  assert.equal(socket.connection.phase, "offline");
});

test("a line that still answers is one, whatever the device says of its network", () => {
  const { socket, line, lines, clock } = following(2);
  line().pong();
  line().take();
  socket.noteOffline();
  socket.ask(generate("k"));
  assert.deepEqual(line().take().map(({ action }) => action), ["ping", "generate"]);
  line().pong();
  assert.deepEqual([socket.connection.phase, socket.connection.lostAt], ["live", null]);
  clock.pass(9_000);
  assert.equal(lines.length, 1);
});

test("a network that comes back is made sure of, or called over at once", () => {
  const { socket, line, lines, clock } = following(2);
  line().pong();
  line().take();
  socket.noteOnline();
  assert.equal(line().take("ping").length, 1);
  clock.pass(3_000); // the line had gone with the old network
  assert.equal(lines[0].closed, 4000);
  socket.noteOnline();
  assert.equal(lines.length, 2);
});

test("without a network the page says offline and still tries", () => {
  const page = aPage({ random: () => 1 });
  page.online = false;
  page.line().breaks(1006);
  assert.equal(page.socket.connection.phase, "offline");
  page.clock.pass(500);
  assert.equal(page.lines.length, 2);
});

test("cursors are sent every twenty seconds and the round trip is told", () => {
  const { line, clock, socket, frames } = following(4);
  replay(line(), []);
  assert.deepEqual(line().take("ping")[0].cursors, { t: 4 });
  clock.pass(9);
  line().pong();
  assert.equal(socket.connection.latencyMs, 9);
  line().says(frames[4]);
  clock.pass(20_000);
  assert.deepEqual(line().take("ping")[0].cursors, { t: 5 });
});

test("a server that does not answer is hung up on and called again", () => {
  const page = aPage({ random: () => 0 });
  page.line().hello();
  page.clock.pass(10_000);
  assert.equal(page.lines[0].closed, 4000);
  assert.equal(page.lines.length, 2);
});

test("a server that never says hello is hung up on", () => {
  const page = aPage({ random: () => 0 });
  page.clock.pass(10_000);
  assert.equal(page.lines[0].closed, 4000);
});

test("what an older connection still says is not listened to", () => {
  const page = aPage({ random: () => 0 });
  page.line().hello();
  page.clock.pass(10_000);
  const [old] = page.lines;
  page.lines[1].hello();
  old.hello([{ task_id: "ghost", seq: 1 }]);
  old.breaks(4401);
  assert.equal(page.socket.connection.phase, "live");
  assert.deepEqual(page.ledger.unfinished(), []);
});

test("a submission without a connection goes out after hello, once", () => {
  const page = aPage();
  page.socket.ask(generate("k1"));
  assert.deepEqual(page.line().take(), []);
  page.line().hello();
  assert.equal(page.line().take("generate").length, 1);
});

test("a submission that was not acknowledged goes out again with the same key, then never more", () => {
  const page = aPage({ random: () => 0 });
  page.line().hello();
  page.socket.ask(generate("k1"));
  page.line().take();
  page.line().breaks(1006);
  page.clock.pass(0);
  page.line().hello();
  assert.deepEqual(page.line().take("generate").map((m) => m.request_key), ["k1"]);
  page.line().says({ type: "ack", task_id: "new", request_key: "k1", duplicate: true });
  assert.deepEqual(page.heard.accepted, [{ taskId: "new", duplicate: true, key: "k1" }]);
  page.line().breaks(1006);
  page.clock.pass(0);
  page.line().hello();
  assert.deepEqual(page.line().take("generate"), []);
});

test("the outbox outlives a reload of the tab, for the same person only", () => {
  const first = aPage();
  first.socket.ask(generate("k1"));
  const again = aPage({ store: first.store });
  again.line().hello();
  assert.equal(again.line().take("generate").length, 1);
  const somebodyElse = aPage({ store: first.store, owner: "wang" });
  somebodyElse.line().hello();
  assert.deepEqual(somebodyElse.line().take("generate"), []);
});

test("after an ack the page asks what the server filled in", () => {
  const page = aPage();
  page.line().hello();
  page.socket.ask(generate("k1"));
  page.line().says({ type: "ack", task_id: "new", request_key: "k1", duplicate: false });
  assert.equal(page.line().take("attach")[0].task_id, "new");
  page.line().says(log("new").submitted().frames[0]);
  page.line().says({ type: "task", task_id: "new", seq: 1, task: task({ request_key: "k1" }) });
  assert.deepEqual(page.heard.learned, ["new"]);
  assert.equal(page.ledger.cursor("new"), 1);
});

test("an ack that brings the task is shown without another question", () => {
  const page = aPage();
  page.line().hello();
  page.socket.ask(generate("k1"));
  page.line().says({ type: "ack", task_id: "new", request_key: "k1", duplicate: false, task: task() });
  assert.deepEqual(page.line().take("attach"), []);
  assert.deepEqual(page.heard.learned, ["new"]);
  for (const frame of log("new").whole()) page.line().says(frame);
  assert.equal(page.ledger.state("new").status, "completed");
});

test("a refusal without a key is about the oldest message that was not answered", () => {
  const page = aPage();
  page.line().hello();
  page.socket.ask(generate("k1"));
  page.socket.ask(generate("k2"));
  page.line().says({ type: "error", code: "size_invalid", field: "size", message: "" });
  assert.deepEqual(page.heard.refused, [["k1", "size_invalid"]]);
  assert.deepEqual(page.outbox.all().map((m) => m.request_key), ["k2"]);
});

test("a refusal is told with its message and nothing is sent again", () => {
  const page = aPage({ random: () => 0 });
  page.line().hello();
  page.socket.ask(generate("k1"));
  page.line().says({ type: "error", code: "prompt_empty", field: "prompt", message: "", request_key: "k1" });
  assert.deepEqual(page.heard.refused, [["k1", "prompt_empty"]]);
  assert.deepEqual(page.outbox.all(), []);
});

test("a server that cannot store right now gets the same key again a little later", () => {
  const page = aPage({ random: () => 0 });
  page.line().hello();
  page.line().pong();
  page.socket.ask(generate("k1"));
  page.line().take();
  page.line().says({ type: "error", code: "unavailable", message: "", request_key: "k1" });
  assert.deepEqual(page.line().take("generate"), []);
  page.clock.pass(1_000);
  assert.deepEqual(page.line().take("generate").map((m) => m.request_key), ["k1"]);
});

test("a task that turns out not to be ours is forgotten", () => {
  const { line, heard, ledger } = following(2);
  const [attach] = line().take("attach");
  line().says({ type: "error", code: "not_found", message: "", request_key: attach.request_key });
  assert.deepEqual(heard.forgotten, ["t"]);
  assert.deepEqual(ledger.unfinished(), []);
});

test("a cancel is kept until it is answered, or the task has ended", () => {
  const { socket, line, outbox, frames } = following(2);
  replay(line(), []);
  socket.ask({ action: "cancel", task_id: "t", request_key: "c1" });
  line().says({ type: "answer", action: "cancel", task_id: "t", answer: "requested" });
  assert.deepEqual(outbox.all(), []);
  socket.ask({ action: "cancel", task_id: "t", request_key: "c2" });
  for (const frame of frames.slice(2)) line().says(frame);
  assert.deepEqual(outbox.all(), []);
});

test("two hundred tasks are attached without flooding the server, or taking it for dead", () => {
  const page = aPage();
  for (let i = 0; i < 200; i += 1) page.ledger.learn(`t${i}`, task());
  page.line().hello();
  const attached = new Set();
  for (let second = 0; second < 15; second += 1) {
    const sent = page.line().take();
    assert.ok(sent.length <= (second === 0 ? 60 : 20));
    for (const { action, task_id: taskId } of sent) {
      if (action === "ping") page.line().pong();
      else attached.add(taskId);
    }
    page.clock.pass(1_000);
  }
  assert.equal(attached.size, 200);
  assert.equal(page.lines.length, 1);
  assert.equal(page.socket.connection.phase, "live");
});

test("a sign of life is asked for at once, however much is waiting to be sent", () => {
  const page = aPage();
  for (let i = 0; i < 500; i += 1) page.ledger.learn(`t${i}`, task());
  page.line().hello();
  page.clock.pass(1_000);
  assert.equal(page.line().take("ping").length, 1);
  page.line().pong();
  page.clock.pass(20_000);
  assert.equal(page.line().take("ping").length, 1);
  page.clock.pass(10_000);
  assert.equal(page.lines[0].closed, 4000);
});

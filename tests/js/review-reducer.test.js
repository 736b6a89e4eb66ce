/** The review page as a fold: what is decided, what waits, what colleagues did. */

import assert from "node:assert/strict";
import test from "node:test";

import { EMPTY, currentItem, isDecided, reduce, waiting } from "../../static/studio/js/review/review-reducer.js";

const offer = (id, more = {}) => ({ id, version: 0, state: "unreviewed", appeal: false, words: false, prompt: `${id}`, ...more });
const begun = (...offers) => reduce(EMPTY, { type: "offered", offers });
const three = () => begun(offer(1), offer(2), offer(3));
const sent = (desk, ids, state = "approved") => reduce(desk, { type: "sent", ids, state });
const stored = (desk, ...outcomes) => reduce(desk, { type: "stored", outcomes });
const ids = (desk) => waiting(desk).map(({ id }) => id);

test("a decision goes on to the next picture before it is stored", () => {
  const desk = sent(three(), [1]);
  assert.equal(desk.current, 2);
  assert.deepEqual(ids(desk), [2, 3]);
  assert.equal(desk.decisions.length, 0);

  const done = stored(desk, { id: 1, version: 1, state: "approved" });
  assert.equal(done.current, 2);
  assert.deepEqual(done.decisions, [[{ id: 1, version: 1, state: "approved" }]]);
  assert.equal(isDecided(done.items[0]), true);
});

test("after the last picture comes what was passed over, then nothing", () => {
  let desk = reduce(three(), { type: "stepped", by: 1 });
  desk = sent(sent(desk, [2]), [3]);
  assert.equal(desk.current, 1);
  assert.equal(sent(desk, [1]).current, null);
});

test("of a colleague who was first the decision stays, and cannot be undone", () => {
  const desk = reduce(sent(three(), [1], "hidden"), { type: "refused", id: 1, outcome: { id: 1, version: 1, state: "flagged", by: "ravi" } });
  assert.deepEqual(desk.decisions, []);
  assert.equal(desk.current, 2);
  const [first] = desk.items;
  assert.deepEqual([first.state, first.by, isDecided(first)], ["flagged", "ravi", true]);
});

test("what could not be stored waits again and is shown", () => {
  const desk = reduce(sent(three(), [1]), { type: "refused", id: 1, outcome: null });
  assert.equal(desk.current, 1);
  assert.deepEqual(ids(desk), [1, 2, 3]);
});

test("an undone picture waits again, with the version that undoing made", () => {
  let desk = stored(sent(three(), [1]), { id: 1, version: 1, state: "approved" });
  desk = reduce(desk, { type: "undone", outcomes: [{ id: 1, version: 2, state: "unreviewed" }] });
  assert.equal(desk.current, 1);
  assert.deepEqual(ids(desk), [1, 2, 3]);
  assert.equal(currentItem(desk).version, 2);
  assert.deepEqual(desk.decisions, []);
});

test("pictures that were approved at once are undone at once", () => {
  let desk = sent(three(), [1, 3]);
  assert.deepEqual(ids(desk), [2]);
  desk = stored(desk, { id: 1, version: 1, state: "approved" }, { id: 3, version: 1, state: "approved" });
  assert.equal(desk.decisions.length, 1);
  assert.equal(desk.decisions[0].length, 2);
});

test("colleagues' decisions appear, older ones and one's own pending ones do not", () => {
  const reviews = [
    { id: 1, version: 1, state: "approved", by: "ravi" },
    { id: 2, version: 0, state: "hidden", by: "ravi" },
    { id: 3, version: 1, state: "flagged", by: "ravi" },
    { id: 9, version: 1, state: "flagged", by: "ravi" },
  ];
  const desk = reduce(sent(three(), [3]), { type: "reviewed", reviews, me: "renu" });
  assert.deepEqual(desk.items.map(({ state, by, pending }) => [state, by, pending]), [
    ["approved", "ravi", ""], ["unreviewed", "", ""], ["unreviewed", "", "approved"],
  ]);
  // it stays on the page, which says who decided
  assert.equal(desk.current, 1);
});

test("what is offered again changes nothing that was decided here", () => {
  let desk = stored(sent(three(), [1]), { id: 1, version: 1, state: "approved" });
  desk = sent(desk, [2]);
  desk = reduce(desk, { type: "offered", offers: [offer(1), offer(2), offer(3), offer(4)] });
  assert.deepEqual(ids(desk), [3, 4]);
});

test("a new appeal comes right behind the current picture", () => {
  const desk = reduce(three(), { type: "offered", offers: [offer(8, { appeal: true, version: 1 }), offer(4)] });
  assert.deepEqual(ids(desk), [1, 8, 2, 3, 4]);
  assert.equal(desk.current, 1);
});

test("a picture that was deleted is gone, and the next one is shown", () => {
  const desk = reduce(three(), { type: "vanished", id: 1 });
  assert.equal(desk.current, 2);
  assert.deepEqual(ids(desk), [2, 3]);
});

test("an empty desk shows the first picture that arrives", () => {
  const desk = reduce(begun(), { type: "offered", offers: [offer(5)] });
  assert.equal(desk.current, 5);
});

test("an hour of decisions does not pile up", () => {
  let desk = begun();
  for (let id = 1; id <= 500; id += 1) {
    desk = reduce(desk, { type: "offered", offers: [offer(id)] });
    desk = stored(sent(desk, [id]), { id, version: 1, state: "approved" });
  }
  assert.ok(desk.items.length < 20);
  assert.ok(desk.decisions.length <= 300);
});

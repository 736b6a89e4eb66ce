import assert from "node:assert/strict";
import { test } from "node:test";

import { actionOf } from "../../static/studio/js/viewer/viewer-keys.js";
import { PictureList } from "../../static/studio/js/viewer/viewer-list.js";
import { fitScale, fitted, clamped, isFitted, isLarger, toggled, zoomed } from "../../static/studio/js/viewer/viewer-zoom.js";
import { swipe } from "../../static/studio/js/viewer/viewer-gestures.js";

const stage = { width: 800, height: 600 };
const large = { stage, picture: { width: 1600, height: 1600 } };
const small = { stage, picture: { width: 256, height: 256 } };

test("a large picture is fitted whole, a small one to twice its size at most", () => {
  assert.equal(fitScale(large), 600 / 1600);
  assert.equal(fitScale(small), 2);
});

test("zooming keeps the point under the pointer", () => {
  const at = { x: 100, y: -40 };
  const before = fitted(large);
  const after = zoomed(before, 4, at, large);
  const under = (place) => [(at.x - place.x) / place.scale, (at.y - place.y) / place.scale];
  under(after).forEach((value, i) => assert.ok(Math.abs(value - under(before)[i]) < 1e-9));
});

test("zoom ends at eight times and at the smaller of fitted and its own size", () => {
  assert.equal(zoomed(fitted(large), 1000, { x: 0, y: 0 }, large).scale, 8);
  assert.equal(zoomed(fitted(large), 0.001, { x: 0, y: 0 }, large).scale, fitScale(large));
  assert.equal(zoomed(fitted(small), 0.001, { x: 0, y: 0 }, small).scale, 1);
});

test("no edge of the picture is dragged into the stage", () => {
  assert.deepEqual(clamped({ scale: 1, x: 9999, y: -9999 }, large), { scale: 1, x: 400, y: -500 });
  assert.deepEqual(clamped({ scale: 0.2, x: 50, y: 50 }, large), { scale: 0.2, x: 0, y: 0 });
});

test("toggling changes to the picture's own size and back, and always has an effect", () => {
  const fit = fitted(large);
  assert.equal(toggled(fit, large), 1);
  assert.equal(toggled({ ...fit, scale: 1 }, large), fit.scale);
  const exact = { stage, picture: stage };
  assert.equal(toggled(fitted(exact), exact), 2);
  assert.equal(toggled(fitted(small), small), 4);
  assert.equal(isFitted(fit, large), true);
  assert.equal(isLarger(fit, large), false);
  assert.equal(isLarger({ ...fit, scale: 1 }, large), true);
});

test("a swipe shows another picture, closes, or is too short", () => {
  assert.equal(swipe({ x: -90, y: 10 }, 400), "next");
  assert.equal(swipe({ x: 90, y: 10 }, 400), "previous");
  assert.equal(swipe({ x: 5, y: 120 }, 400), "close");
  assert.equal(swipe({ x: 5, y: -120 }, 400), null);
  assert.equal(swipe({ x: -30, y: 0 }, 400), null);
  assert.equal(swipe({ x: -30, y: 0 }, 40), "next", "a flick");
});

const item = (key) => ({ key, url: `/${key}`, thumbnail: "", width: 1, height: 1, alt: "" });
const list = (...keys) => new PictureList(keys.map(item), keys[0]);

test("a picture that the page shows twice is listed once", () => {
  const pictures = new PictureList(["a:1", "a:2", "a:1"].map(item), "a:2");
  assert.deepEqual([pictures.size, pictures.number], [2, 2]);
});

test("the list stops at both ends", () => {
  const pictures = list("a:1", "a:2", "b:1");
  assert.equal(pictures.move(-1), false);
  assert.equal(pictures.move(Infinity), true);
  assert.equal(pictures.current?.key, "b:1");
  assert.deepEqual(pictures.neighbours.map(({ key }) => key), ["a:2"]);
});

test("a picture that is not on the page can be shown too", () => {
  const pictures = list("a:1", "b:1");
  pictures.show("c:1", { thumbnail: "/small" });
  assert.deepEqual([pictures.number, pictures.size, pictures.current?.thumbnail], [2, 3, "/small"]);
  assert.equal(new PictureList([], "x:1").current?.key, "x:1");
});

test("the strip has only pictures of the same task", () => {
  const pictures = list("a:1", "b:1", "a:2");
  assert.deepEqual(pictures.siblings.map(({ key }) => key), ["a:1", "a:2"]);
});

test("after a deletion the next one is shown, the last one at the end, none when all are gone", () => {
  const pictures = list("a:1", "a:2", "b:1");
  pictures.move(1);
  pictures.remove(["a:2"], []);
  assert.equal(pictures.current?.key, "b:1");
  pictures.remove([], ["b"]);
  assert.equal(pictures.current?.key, "a:1");
  pictures.remove(["a:1"], []);
  assert.equal(pictures.current, null);
});

test("a restored picture has its old position", () => {
  const pictures = list("a:1", "a:2", "b:1", "b:2");
  pictures.move(1);
  pictures.remove(["a:2", "b:1"], []);
  assert.equal(pictures.restore(["a:2", "b:1"], []), "a:2");
  pictures.move(-Infinity);
  const order = [pictures.current?.key];
  while (pictures.move(1)) order.push(pictures.current?.key);
  assert.deepEqual(order, ["a:1", "a:2", "b:1", "b:2"]);
});

test("deleting an earlier picture keeps the shown one", () => {
  const pictures = list("a:1", "a:2", "b:1");
  pictures.move(2);
  pictures.remove(["a:1"], []);
  assert.equal(pictures.current?.key, "b:1");
});

test("single-character keys can be switched off; the others stay", () => {
  const press = (key, on, shiftKey = false) => actionOf({ key, shiftKey }, on);
  assert.equal(press("f", true), "favourite");
  assert.equal(press("F", true, true), "favourite");
  assert.equal(press("f", false), null);
  assert.equal(press("ArrowRight", false), "next");
  assert.deepEqual(press("ArrowRight", true, true), [-1, 0]);
  assert.equal(press("Tab", true), null);
});

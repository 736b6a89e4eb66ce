/** A picture that failed to load has not been seen: it can be neither decided about nor selected. */

import assert from "node:assert/strict";
import test from "node:test";

import { isLoaded } from "../../static/studio/js/review/review-picture.js";
import { check } from "../../static/studio/js/review/review-tiles.js";

const loaded = { complete: true, naturalWidth: 512 };
const failed = { complete: true, naturalWidth: 0 };
const lazy = { complete: false, naturalWidth: 0 };
const boxOf = (image) => ({ checked: false, parentElement: { querySelector: () => image } });

test("an image that failed is complete, and not loaded", () => {
  assert.deepEqual([loaded, failed, lazy, null].map(isLoaded), [true, false, false, false]);
});

test("only tiles with a loaded image are selected", () => {
  const boxes = [loaded, failed, lazy].map(boxOf);
  for (const box of boxes) check(box, true);
  assert.deepEqual(boxes.map(({ checked }) => checked), [true, false, false]);
  check(boxes[0], false);
  assert.equal(boxes[0].checked, false);
});

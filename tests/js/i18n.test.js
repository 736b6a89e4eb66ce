import assert from "node:assert/strict";
import test from "node:test";

const MOMENT = Date.UTC(2026, 2, 1, 20, 30, 5) / 1_000;

/** The module as a page with these attributes of <html> loads it. */
function loaded(dataset) {
  globalThis.document = { documentElement: { lang: "en", dataset } };
  return import(`../../static/studio/js/lib/i18n.js?${dataset.zone}`);
}

test("days and times are those of the user's time zone", async () => {
  const { dayAndTime, timeOfDay } = await loaded({ zone: "Asia/Shanghai" });

  assert.deepEqual(dayAndTime(MOMENT * 1_000), ["2026-03-02", "04:30:05"]);
  assert.equal(timeOfDay(MOMENT, MOMENT + 60), "04:30:05");
  assert.equal(timeOfDay(MOMENT, MOMENT + 86_400), "Mar 2 04:30:05");
});

test("a time zone that the browser does not know is its own", async () => {
  const { timeOfDay } = await loaded({ zone: "Moon/Tranquility" });
  const { timeOfDay: here } = await loaded({});

  assert.equal(timeOfDay(MOMENT), here(MOMENT));
});

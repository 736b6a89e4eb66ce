// @ts-check
/** Numbers, durations and times in the language of the page. */

import { fill, gettext } from "./i18n.js";

const language = globalThis.document?.documentElement.lang || "en";

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/**
 * @param {number} value
 * @param {number} least digits after the point
 * @param {number} most
 */
export function number(value, least = 0, most = least) {
  const key = `${least}-${most}`;
  let format = formats.get(key);
  if (!format) {
    const digits = { minimumFractionDigits: least, maximumFractionDigits: most };
    format = new Intl.NumberFormat(language, { ...digits, useGrouping: false });
    formats.set(key, format);
  }
  return format.format(value);
}

/** Whole percent, never rounded up: 100 is shown for 100 alone. @param {number} progress 0 to 100 */
export const percent = (progress) => number(Math.floor(progress));

/** A measured duration: 0.02 s, 1.1 s, 19 s, 2 min 5 s. @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(0, seconds);
  if (s < 0.095) return fill(gettext("%(n)s s"), { n: number(s, 2) });
  if (s < 9.95) return fill(gettext("%(n)s s"), { n: number(s, 1) });
  const whole = Math.round(s);
  if (whole < 100) return fill(gettext("%(n)s s"), { n: whole });
  return fill(gettext("%(m)s min %(s)s s"), { m: Math.floor(whole / 60), s: whole % 60 });
}

/** A ticking duration, in whole seconds. @param {number} seconds */
export const elapsed = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 100) return fill(gettext("%(n)s s"), { n: whole });
  return fill(gettext("%(m)s min %(s)s s"), { m: Math.floor(whole / 60), s: whole % 60 });
};

const clock = new Intl.DateTimeFormat(language, {
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});
const date = new Intl.DateTimeFormat(language, { month: "short", day: "numeric" });

/** Time of day, with the date when it was not today. @param {number} at Unix seconds */
export function timeOfDay(at) {
  const moment = new Date(at * 1000);
  const time = clock.format(moment);
  return moment.toDateString() === new Date().toDateString() ? time : `${date.format(moment)} ${time}`;
}

/** Length in code points, as the server counts it. @param {string} text */
export const length = (text) => [...text].length;

/**
 * @param {number} width
 * @param {number} height
 */
export const size = (width, height) => `${width} × ${height}`;

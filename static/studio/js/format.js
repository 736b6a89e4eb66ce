// @ts-check
/** Numbers, durations and times in the language of the page. */

import { gettext } from "./i18n.js";

const language = globalThis.document?.documentElement.lang || "en";

/** @type {Record<string, Intl.NumberFormat>} */
const formats = {};

/**
 * @param {number} value
 * @param {number} least digits after the point
 * @param {number} most
 */
export function number(value, least = 0, most = least) {
  const digits = { minimumFractionDigits: least, maximumFractionDigits: most, useGrouping: false };
  return (formats[`${least} ${most}`] ??= new Intl.NumberFormat(language, digits)).format(value);
}

/** Whole percent, never rounded up: 100 is shown for 100 alone. @param {number} progress 0 to 100 */
export const percent = (progress) => number(Math.floor(progress));

/** A measured duration: 0.02 s, 1.1 s, 19 s, 2 min 5 s. @param {number} seconds */
export function duration(seconds) {
  if (seconds >= 9.95) return elapsed(Math.round(seconds));
  const s = Math.max(0, seconds);
  return gettext("%(n)s s", { n: number(s, s < 0.095 ? 2 : 1) });
}

/** A ticking duration, in whole seconds. @param {number} seconds */
export function elapsed(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  return s < 100 ? gettext("%(n)s s", { n: s }) : gettext("%(m)s min %(s)s s", { m: Math.floor(s / 60), s: s % 60 });
}

/**
 * An estimate is told in whole seconds, or in minutes from a minute and a half.
 *
 * @param {number} seconds
 * @returns {{long: boolean, n: number}} `n` minutes if it is long, otherwise seconds
 */
export const about = (seconds) =>
  seconds >= 90 ? { long: true, n: Math.round(seconds / 60) } : { long: false, n: Math.max(1, Math.round(seconds)) };

/** @param {Intl.DateTimeFormatOptions} parts */
const dates = (parts) => new Intl.DateTimeFormat(language, parts);
const clock = dates({ hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const date = dates({ month: "short", day: "numeric" });

/** Time of day, with the date when it was not today. @param {number} at Unix seconds */
export function timeOfDay(at) {
  const moment = new Date(at * 1000);
  const time = clock.format(moment);
  return moment.toDateString() === new Date().toDateString() ? time : `${date.format(moment)} ${time}`;
}

/** Length in code points, as the server counts it. @param {string} text */
export const length = (text) => [...text].length;

/** Letters, marks and symbols that are drawn as nothing, although their category does not say so. */
const UNSEEN = /[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\u{e0100}-\u{e01ef}]/gu;

/** Whether a text holds no character that a reader could see; the server asks the same. @param {string} text */
export const saysNothing = (text) => !/[^\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{M}]/u.test(text.replace(UNSEEN, ""));

/**
 * @param {number} width
 * @param {number} height
 */
export const size = (width, height) => `${width} × ${height}`;

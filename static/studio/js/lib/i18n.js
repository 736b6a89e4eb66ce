// @ts-check
/** The language of the page: sentences and labels from /i18n/catalog.js (without it, the English sentences and the bare codes), numbers, durations and times. */

/** @typedef {Record<string, string | number>} Values */

/** A plural has one sentence for each of its forms. @typedef {Record<string, string | string[]>} Words */

/** @type {{studioWords?: Words, studioPlural?: (n: number) => number, studioLabels?: Record<string, Record<string, string>>}} */
const catalogue = /** @type {any} */ (globalThis);

/**
 * Fill `%(name)s` in a translated sentence.
 *
 * @param {string} sentence
 * @param {Values} [values]
 */
export const fill = (sentence, values = {}) =>
  sentence.replace(/%\((\w+)\)s/g, (whole, name) => String(values[name] ?? whole));

/**
 * @param {string} message
 * @param {Values} [values] what stands for `%(name)s` in it
 */
export const gettext = (message, values) => fill(String(catalogue.studioWords?.[message] ?? message), values);

/**
 * @param {string} one
 * @param {string} many
 * @param {number} n stands for `%(n)s`
 * @param {Values} [values] what stands for other names
 */
export const ngettext = (one, many, n, values) => {
  const form = catalogue.studioWords?.[one]?.[catalogue.studioPlural?.(n) ?? 0];
  return fill(form ?? (n === 1 ? one : many), { n, ...values });
};

/**
 * Label of a code of the wire protocol.
 *
 * @param {"step" | "status" | "kind" | "basis" | "reason" | "interruption" | "error"} kind
 * @param {string} code
 * @param {string} [otherwise] for a code of a newer server; without it the code itself
 */
export const label = (kind, code, otherwise) => catalogue.studioLabels?.[kind]?.[code] ?? (otherwise || code);

/** Behind these tasks of a queue all have the same position. */
const NUMBERED_TASKS = 1000;

/** @param {number} position in a queue, as the protocol has it */
export const positionLabel = (position) =>
  gettext("Position %(n)s in queue", { n: position <= NUMBERED_TASKS ? position : gettext("1,000+") });

const html = globalThis.document?.documentElement;
const language = html?.lang || "en";

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
 * An estimate in whole seconds, or in minutes from 90 seconds.
 *
 * @param {number} seconds
 * @returns {{long: boolean, n: number}} `n` minutes if it is long, otherwise seconds
 */
export const about = (seconds) =>
  seconds >= 90 ? { long: true, n: Math.round(seconds / 60) } : { long: false, n: Math.max(1, Math.round(seconds)) };

/** Dates in the user's time zone, or in the browser's. @param {Intl.DateTimeFormatOptions} parts */
export function dates(parts, locale = language) {
  try {
    return new Intl.DateTimeFormat(locale, { ...parts, timeZone: html?.dataset.zone });
  } catch {
    return new Intl.DateTimeFormat(locale, parts); // this browser does not know the zone
  }
}

const date = dates({ month: "short", day: "numeric" });
const swedish = dates({ dateStyle: "short", timeStyle: "medium" }, "sv");

/** YYYY-MM-DD and HH:MM:SS, as Swedish has them. @param {Date | number} moment */
export const dayAndTime = (moment) => swedish.format(moment).split(" ");

/**
 * Time of day, with the date unless it is today's.
 *
 * @param {number} at Unix seconds
 * @param {number} [now] Unix seconds
 */
export function timeOfDay(at, now = Date.now() / 1000) {
  const [day, time] = dayAndTime(at * 1000);
  return day === dayAndTime(now * 1000)[0] ? time : `${date.format(at * 1000)} ${time}`;
}

/** Length in code points, as the server counts it. @param {string} text */
export const length = (text) => [...text].length;

/**
 * @param {number} width
 * @param {number} height
 */
export const size = (width, height) => `${width} × ${height}`;

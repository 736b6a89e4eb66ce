// @ts-check
/** The catalogue from /i18n/catalog.js; without it (tests, a failed load) the English sentences stand. */

/** @type {{gettext?: (m: string) => string, ngettext?: (s: string, p: string, n: number) => string, pgettext?: (c: string, m: string) => string}} */
const catalogue = /** @type {any} */ (globalThis);

/** @param {string} message */
export const gettext = (message) => catalogue.gettext?.(message) ?? message;

/**
 * @param {string} context
 * @param {string} message
 */
export const pgettext = (context, message) => catalogue.pgettext?.(context, message) ?? message;

/**
 * @param {string} one
 * @param {string} many
 * @param {number} count
 */
export const ngettext = (one, many, count) =>
  catalogue.ngettext?.(one, many, count) ?? (count === 1 ? one : many);

/**
 * Fill `%(name)s` in a translated sentence.
 *
 * @param {string} sentence
 * @param {Record<string, string | number>} values
 */
export const fill = (sentence, values) =>
  sentence.replace(/%\((\w+)\)s/g, (whole, name) => (name in values ? String(values[name]) : whole));

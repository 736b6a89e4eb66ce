// @ts-check
/** The catalogue from /i18n/catalog.js; without it (tests, a failed load) the English sentences stand. */

/** @typedef {Record<string, string | number>} Values */

/** A plural has one sentence for each of its forms. @typedef {Record<string, string | string[]>} Words */

/** @type {{studioWords?: Words, studioPlural?: (n: number) => number}} */
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

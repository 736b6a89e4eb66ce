// @ts-check
/** Where the site lies below its host: the page says it in `<html data-base>`; "" without a sub-path. */

const BASE = (globalThis.document?.documentElement.dataset.base ?? "").replace(/\/$/, "");

/**
 * The address of a path of the site.
 *
 * @param {string} path begins with a slash
 */
export const at = (path) => BASE + path;

/**
 * A name in the browser's storage, which all sites below one host share.
 *
 * @param {string} name
 */
export const ofThisSite = (name) => name + BASE;

// @ts-check
/** The words for every code on the wire, in the viewer's language; they come with the catalogue. */

/** @type {{studioLabels?: Record<string, Record<string, string>>}} */
const catalogue = /** @type {any} */ (globalThis);

/**
 * @param {string} what
 * @returns {(code: string, otherwise?: string) => string} the code itself if a newer server has more
 */
const lookup = (what) => (code, otherwise) => catalogue.studioLabels?.[what]?.[code] ?? (otherwise || code);

export const stepLabel = lookup("step");
export const statusLabel = lookup("status");
export const kindLabel = lookup("kind");
export const basisLabel = lookup("basis");
export const reasonLabel = lookup("reason");
export const interruptionLabel = lookup("interruption");
export const errorSentence = lookup("error");

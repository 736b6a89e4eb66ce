// @ts-check
/** The draft of the composer in localStorage. */

import { lastSignOut } from "./own-storage.js";

const DRAFT_AFTER_MS = 300;

/**
 * The form's values between visits, on this device and for one user.
 *
 * @param {string} owner
 * @param {() => object} values
 */
export function createDraft(owner, values) {
  const name = `studio.draft.${owner}`;
  const signedOut = lastSignOut();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @returns {boolean} false if storage is forbidden or full, or the user has signed out in another tab */
  function save() {
    if (lastSignOut() !== signedOut) return false;
    try {
      localStorage.setItem(name, JSON.stringify(values()));
      return true;
    } catch {
      return false;
    }
  }

  /** @param {() => void} saved */
  function saveSoon(saved) {
    clearTimeout(timer);
    timer = setTimeout(() => save() && saved(), DRAFT_AFTER_MS);
  }

  /** @returns {Record<string, any>} */
  function load() {
    try {
      return JSON.parse(localStorage.getItem(name) ?? "{}") ?? {};
    } catch {
      return {}; // an unreadable draft is none
    }
  }

  return { save, saveSoon, load };
}

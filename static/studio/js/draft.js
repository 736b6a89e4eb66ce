// @ts-check
/** The form's values between visits, on this device alone and for one person. */

import { lastSignOut } from "./forget.js";

export class Draft {
  #name;
  #signedOut = lastSignOut();

  /** @param {string} owner */
  constructor(owner) {
    this.#name = `studio.draft.${owner}`;
  }

  /**
   * @param {object} values
   * @returns {boolean} false where storage is forbidden or full, or the person has signed out in another tab: nothing then claims to be saved
   */
  save(values) {
    if (lastSignOut() !== this.#signedOut) return false;
    try {
      localStorage.setItem(this.#name, JSON.stringify(values));
      return true;
    } catch {
      return false;
    }
  }

  /** @returns {Record<string, any>} */
  load() {
    try {
      return JSON.parse(localStorage.getItem(this.#name) ?? "{}") ?? {};
    } catch {
      return {}; // an unreadable draft is none
    }
  }
}

// @ts-check
/** The form's values between visits, on this device alone and for one person. */

export class Draft {
  #name;

  /** @param {string} owner */
  constructor(owner) {
    this.#name = `studio.draft.${owner}`;
  }

  /**
   * @param {object} values
   * @returns {boolean} false where storage is forbidden or full: nothing then claims to be saved
   */
  save(values) {
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

// @ts-check
/** What one person leaves on a device: the draft, and the end of all of it. What was chosen for the device itself stays: theme, keys, alerts. */

/** Keys that begin so end with the name of their owner. */
const OWNED = ["studio.draft.", "studio.outbox."];
export const SIGNED_OUT = "studio.signed-out";

/** Everything that was left by other people than `owner`. @param {string} owner */
export function forgetOthers(owner) {
  for (const storage of storages()) {
    for (const key of Object.keys(storage)) {
      if (OWNED.some((prefix) => key.startsWith(prefix) && key !== prefix + owner)) storage.removeItem(key);
    }
  }
}

/** Changes with each sign-out in this browser. */
const lastSignOut = () => storage("localStorage")?.getItem(SIGNED_OUT);

/** @param {"localStorage" | "sessionStorage"} kind @returns {Storage | null} null where the browser forbids it */
export function storage(kind) {
  try {
    return globalThis[kind];
  } catch {
    return null;
  }
}

export const storages = () => [storage("localStorage"), storage("sessionStorage")].flatMap((each) => each ?? []);

/** The form's values between visits, on this device alone and for one person. @param {string} owner */
export function createDraft(owner) {
  const name = `studio.draft.${owner}`;
  const signedOut = lastSignOut();

  /**
   * @param {object} values
   * @returns {boolean} false where storage is forbidden or full, or the person has signed out in another tab: nothing then claims to be saved
   */
  function save(values) {
    if (lastSignOut() !== signedOut) return false;
    try {
      localStorage.setItem(name, JSON.stringify(values));
      return true;
    } catch {
      return false;
    }
  }

  /** @returns {Record<string, any>} */
  function load() {
    try {
      return JSON.parse(localStorage.getItem(name) ?? "{}") ?? {};
    } catch {
      return {}; // an unreadable draft is none
    }
  }

  return { save, load };
}

/** @typedef {ReturnType<typeof createDraft>} Draft */

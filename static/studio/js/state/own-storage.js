// @ts-check
/** What one user stores on a device: a draft and pending requests, removed when another signs in. Choices for the device stay: theme, keys, alerts. */

/** Keys that begin so end with the name of their owner. */
const OWNED = ["studio.draft.", "studio.outbox."];
export const SIGNED_OUT = "studio.signed-out";

/** Remove what other users than `owner` stored. @param {string} owner */
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

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
export const lastSignOut = () => storage("localStorage")?.getItem(SIGNED_OUT);

/** @param {"localStorage" | "sessionStorage"} kind @returns {Storage | null} null where the browser forbids it */
export function storage(kind) {
  try {
    return globalThis[kind];
  } catch {
    return null;
  }
}

export const storages = () => [storage("localStorage"), storage("sessionStorage")].flatMap((each) => each ?? []);

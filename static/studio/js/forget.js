// @ts-check
/** What one person leaves on a device, and its end. What was chosen for the device itself stays: theme, keys, alerts. */

/** Keys that begin so end with the name of their owner. */
const OWNED = ["studio.draft.", "studio.outbox."];
/** Tasks that were told of. */
const CLAIMED = "studio.alerted";
const SIGNED_OUT = "studio.signed-out";

/** Everything that was left by other people than `owner`. @param {string} owner */
export function forgetOthers(owner) {
  for (const storage of storages()) {
    for (const key of Object.keys(storage)) {
      if (OWNED.some((prefix) => key.startsWith(prefix) && key !== prefix + owner)) storage.removeItem(key);
    }
  }
}

/** Everything that was left by anyone; pages that are still open keep nothing from now on. */
export function forgetEverybody() {
  forgetOthers("");
  for (const storage of storages()) storage.removeItem(CLAIMED);
  try {
    localStorage.setItem(SIGNED_OUT, String(Date.now()));
  } catch {
    // full, or forbidden: then nothing is kept anyway
  }
}

/** Changes with each time that somebody signs out here. @returns {string | null} */
export function lastSignOut() {
  try {
    return localStorage.getItem(SIGNED_OUT);
  } catch {
    return null;
  }
}

/** @returns {Storage[]} those that the browser allows */
function storages() {
  try {
    return [localStorage, sessionStorage];
  } catch {
    return [];
  }
}

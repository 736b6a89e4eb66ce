// @ts-check
/** Reload when the server has another protocol version, but not while the user types, and not in a loop. */

/** @import {Composer} from "../composer/composer.js" */

const RELOADED = "studio.reloaded-for-protocol";
const AGAIN_AFTER_MS = 60_000;
const QUIET_MS = 2_000;

let isWaiting = false;

/**
 * @param {Composer | null} composer
 * @param {Storage | null} store of this tab
 */
export function reloadWhenIdle(composer, store) {
  if (isWaiting || Date.now() - Number(store?.getItem(RELOADED)) < AGAIN_AFTER_MS) return;
  if (composer?.isUserTyping()) {
    isWaiting = true;
    setTimeout(() => {
      isWaiting = false;
      reloadWhenIdle(composer, store);
    }, QUIET_MS);
    return;
  }
  store?.setItem(RELOADED, String(Date.now()));
  composer?.saveDraft();
  location.reload();
}

// @ts-check
/** Tracks whether the pointer is in a list, so that nothing moves under it. */

/** A mouse that rests this long is not about to click. */
const AT_REST_MS = 2_000;
const AFTER_TOUCH_MS = 500;

/** How long the pointer stays after an event, in milliseconds. @type {Record<string, number | undefined>} */
const MOUSE = { pointerenter: AT_REST_MS, pointermove: AT_REST_MS, pointerdown: AT_REST_MS, pointerleave: 0 };
/** @type {Record<string, number | undefined>} */
const FINGER = { pointerdown: Infinity, pointerup: AFTER_TOUCH_MS, pointercancel: AFTER_TOUCH_MS };

/**
 * A mouse is inside while it moves there, a finger from its touch until after its click.
 *
 * @param {HTMLElement} list
 * @param {{enter: () => void, leave: () => void}} callbacks
 */
export function watchPointer(list, { enter, leave }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let leaving;
  for (const name of Object.keys({ ...MOUSE, ...FINGER })) {
    list.addEventListener(name, (event) => {
      const after = (/** @type {PointerEvent} */ (event).pointerType === "mouse" ? MOUSE : FINGER)[name];
      if (after === undefined) return;
      clearTimeout(leaving);
      if (after === 0) {
        leave();
        return;
      }
      enter();
      if (after < Infinity) leaving = setTimeout(leave, after);
    });
  }
}

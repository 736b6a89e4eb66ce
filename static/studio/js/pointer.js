// @ts-check
/** Whether somebody aims at something in a list, so that nothing moves under the pointer. */

const AFTER_TOUCH_MS = 500;
/** A mouse that has lain still for so long aims at nothing. */
const AT_REST_MS = 2_000;

/**
 * A mouse is inside while it moves there, a finger from touching until its click has been dealt.
 *
 * @param {HTMLElement} list
 * @param {{enter: () => void, leave: () => void}} told
 */
export function watchPointer(list, { enter, leave }) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let leaving;
  /** @param {number | null} after milliseconds; null = it stays */
  const stay = (after) => {
    clearTimeout(leaving);
    enter();
    if (after !== null) leaving = setTimeout(leave, after);
  };
  for (const moves of /** @type {const} */ (["pointerenter", "pointermove", "pointerdown"])) {
    list.addEventListener(moves, (event) => {
      if (event.pointerType === "mouse") stay(AT_REST_MS);
      else if (moves === "pointerdown") stay(null);
    });
  }
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
    list.addEventListener(end, (event) => {
      if (event.pointerType !== "mouse") stay(AFTER_TOUCH_MS);
    });
  }
  list.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "mouse") return;
    clearTimeout(leaving);
    leave();
  });
}

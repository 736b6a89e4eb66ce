// @ts-check
/** Where the focused element goes away, what stands next in its place gets the focus, not the page. */

const FOCUSABLE = "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex='0']";
/** They come and go above the page: behind them the focus returns to where it was before. */
const ABOVE = "dialog, #alerts";

/** @typedef {{node: Element, before: Element | null, after: Element | null}} Level an element around the focus, with its neighbours */
/** @typedef {{element: HTMLElement, levels: Level[]}} Place where the focus is, from the inside out */

/** Between a press and the end of the focus that it causes. */
const PRESS_MS = 500;

/** @type {Place | null} */
let place = null;
/** On the clock of events. */
let pressedAt = -Infinity;
/** The last place in each of them, and in the page (null); the newest last. @type {Map<Element | null, Place>} */
const trail = new Map();
/** Hidden or removed, an element has no size. */
const watch = new ResizeObserver(recover);

export function restoreFocus() {
  document.addEventListener("pointerdown", ({ timeStamp }) => (pressedAt = timeStamp), true);
  document.addEventListener("focusin", note);
  document.addEventListener("focusout", left);
  document.addEventListener("toggle", closed, true);
  note();
}

/** @param {Element | null} element */
export const isShown = (element) => element?.isConnected === true && element.checkVisibility({ visibilityProperty: true });

function note() {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement) || element === document.body) return;
  place = { element, levels: [] };
  for (let node = /** @type {Element | null} */ (element); node && node !== document.body; node = node.parentElement) {
    place.levels.push({ node, before: node.previousElementSibling, after: node.nextElementSibling });
  }
  trail.delete(layerOf(place));
  trail.set(layerOf(place), place);
  watch.disconnect();
  const sized = place.levels.find(({ node }) => !["inline", "contents"].includes(getComputedStyle(node).display));
  watch.observe(sized?.node ?? element);
}

/** Moved in the page an element loses the focus too; only a press beside it is meant. @param {FocusEvent} event */
function left({ target, relatedTarget, timeStamp }) {
  if (relatedTarget || !document.hasFocus()) return;
  const isMeant = timeStamp - pressedAt < PRESS_MS;
  setTimeout(() => {
    if (isMeant && place?.element === target && isShown(place.element) && document.activeElement !== target) place = null;
    else recover();
  });
}

/** What is in a menu goes with it. @param {Event} event */
function closed({ target }) {
  if (!(target instanceof HTMLDetailsElement) || target.open || !place || !target.contains(place.element)) return;
  if (isLost(place)) target.querySelector("summary")?.focus({ preventScroll: true });
}

function recover() {
  if (!place || !isLost(place)) return;
  (isUsable(place.element) ? place.element : heirOf(place))?.focus({ preventScroll: true });
}

/** @param {Place} of */
function isLost({ element }) {
  const focused = document.activeElement;
  return !focused || focused === document.body || (focused === element && !isShown(element));
}

/** @param {Place} of */
const layerOf = ({ levels }) => levels.find(({ node }) => node.matches(ABOVE))?.node ?? null;

/** @param {Place} lost @returns {HTMLElement | null} */
function heirOf(lost) {
  const layer = layerOf(lost);
  if (!layer || (layer instanceof HTMLDialogElement && isShown(layer))) return nextTo(lost);
  trail.delete(layer);
  for (const other of [...trail.values()].reverse()) {
    const heir = isUsable(other.element) ? other.element : nextTo(other);
    if (heir && isUsable(heir)) return heir;
  }
  return document.querySelector("main");
}

/**
 * From the inside out: in what is still there, what follows, or else what came before.
 *
 * @param {Place} lost
 * @returns {HTMLElement | null}
 */
function nextTo({ levels }) {
  for (let i = 1; i < levels.length; i += 1) {
    const home = levels[i].node;
    if (!isShown(home)) continue;
    const all = /** @type {HTMLElement[]} */ ([...home.querySelectorAll(FOCUSABLE)]).filter(isUsable);
    const next = all.find((each) => isBehind(levels[i - 1], each));
    if (next ?? all.length > 0) return next ?? all.at(-1) ?? null;
  }
  return document.querySelector("main");
}

/**
 * @param {Level} gone
 * @param {Element} other
 */
function isBehind({ node, before, after }, other) {
  const isAfter = (/** @type {Element} */ each) =>
    !each.contains(other) && (each.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
  if (node.isConnected) return isAfter(node);
  if (before?.isConnected) return isAfter(before);
  return !after?.isConnected || after.contains(other) || isAfter(after);
}

/** @param {Element} element */
function isUsable(element) {
  const modal = [...document.querySelectorAll("dialog:modal")].at(-1);
  return isShown(element) && !element.matches(":disabled") && !element.closest("[inert]") && (!modal || modal.contains(element));
}

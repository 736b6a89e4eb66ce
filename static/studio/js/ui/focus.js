// @ts-check
/** When the focused element disappears, the next element gets the focus instead of the page. */

const FOCUSABLE = "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex='0']";
/** Layers above the page: when they close, the focus returns to where it was before. */
const ABOVE = "dialog, #alerts";

/** @typedef {{node: Element, before: Element | null, after: Element | null}} Level an element around the focus, with its neighbours */
/** @typedef {{element: HTMLElement, levels: Level[]}} FocusPath the focused element and its ancestors, from the inside out */

/** Between a press and the loss of focus that it causes. */
const PRESS_MS = 500;

/** @type {FocusPath | null} */
let current = null;
/** On the clock of events. */
let pressedAt = -Infinity;
/** The last focus in each layer, and in the page (null); the newest last. @type {Map<Element | null, FocusPath>} */
const lastFocus = new Map();
/** Hidden or removed, an element has no size. */
const watch = new ResizeObserver(restore);

export function restoreFocus() {
  document.addEventListener("pointerdown", ({ timeStamp }) => (pressedAt = timeStamp), true);
  document.addEventListener("focusin", recordFocus);
  document.addEventListener("focusout", onFocusOut);
  document.addEventListener("toggle", onToggle, true);
  recordFocus();
}

/** @param {Element | null} element */
export const isShown = (element) => element?.isConnected === true && element.checkVisibility({ visibilityProperty: true });

function recordFocus() {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement) || element === document.body) return;
  current = { element, levels: [] };
  for (let node = /** @type {Element | null} */ (element); node && node !== document.body; node = node.parentElement) {
    current.levels.push({ node, before: node.previousElementSibling, after: node.nextElementSibling });
  }
  lastFocus.delete(layerOf(current));
  lastFocus.set(layerOf(current), current);
  watch.disconnect();
  const sized = current.levels.find(({ node }) => !["inline", "contents"].includes(getComputedStyle(node).display));
  watch.observe(sized?.node ?? element);
}

/** An element that is moved loses the focus too; only a press beside it is deliberate. @param {FocusEvent} event */
function onFocusOut({ target, relatedTarget, timeStamp }) {
  if (relatedTarget || !document.hasFocus()) return;
  const isMeant = timeStamp - pressedAt < PRESS_MS;
  setTimeout(() => {
    if (isMeant && current?.element === target && isShown(current.element) && document.activeElement !== target) current = null;
    else restore();
  });
}

/** A closed menu hides its elements. @param {Event} event */
function onToggle({ target }) {
  if (!(target instanceof HTMLDetailsElement) || target.open || !current || !target.contains(current.element)) return;
  if (isLost(current)) target.querySelector("summary")?.focus({ preventScroll: true });
}

function restore() {
  if (!current || !isLost(current)) return;
  (isUsable(current.element) ? current.element : replacementFor(current))?.focus({ preventScroll: true });
}

/** @param {FocusPath} of */
function isLost({ element }) {
  const focused = document.activeElement;
  return !focused || focused === document.body || (focused === element && !isShown(element));
}

/** @param {FocusPath} of */
const layerOf = ({ levels }) => levels.find(({ node }) => node.matches(ABOVE))?.node ?? null;

/** @param {FocusPath} lost @returns {HTMLElement | null} */
function replacementFor(lost) {
  const layer = layerOf(lost);
  if (!layer || (layer instanceof HTMLDialogElement && isShown(layer))) return nextTo(lost);
  lastFocus.delete(layer);
  for (const other of [...lastFocus.values()].reverse()) {
    const replacement = isUsable(other.element) ? other.element : nextTo(other);
    if (replacement && isUsable(replacement)) return replacement;
  }
  return document.querySelector("main");
}

/**
 * From the inside out: in the nearest shown ancestor the next element, or else the last one.
 *
 * @param {FocusPath} lost
 * @returns {HTMLElement | null}
 */
function nextTo({ levels }) {
  for (let i = 1; i < levels.length; i += 1) {
    const ancestor = levels[i].node;
    if (!isShown(ancestor)) continue;
    const all = /** @type {HTMLElement[]} */ ([...ancestor.querySelectorAll(FOCUSABLE)]).filter(isUsable);
    const next = all.find((each) => isAfterLost(levels[i - 1], each));
    if (next ?? all.length > 0) return next ?? all.at(-1) ?? null;
  }
  return document.querySelector("main");
}

/**
 * @param {Level} gone
 * @param {Element} other
 */
function isAfterLost({ node, before, after }, other) {
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

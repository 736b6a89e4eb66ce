// @ts-check
/** Entry of the comparison page: pictures are zoomed and moved together; two of one shape can be stacked. */

import { setFavourite } from "../card/actions.js";
import { send } from "../connection/http.js";
import { taskOf } from "../connection/protocol.js";
import { find, setAttribute, setProperty, setText, siteUrl } from "../lib/dom.js";
import { number } from "../lib/i18n.js";
import { listenToMenus } from "../ui/menus.js";
import { listenForVarying } from "../viewer/picture-links.js";
import { Gestures } from "../viewer/viewer-gestures.js";

/** @typedef {{zoom: number, x: number, y: number}} View x, y: offset of the centre, in shares of a pane */

const LARGEST = 8;
const PER_WHEEL_PIXEL = 0.002;
const PER_KEY = 1.25;
const KEY_STEP = 0.08;
const LINE_PX = 16;
const WHOLE = { zoom: 1, x: 0, y: 0 };

const container = find(document, "#compared", HTMLElement);
const panes = /** @type {HTMLElement[]} */ ([...container.querySelectorAll(".compared-picture__pane")]);
const whole = find(document, "#whole", HTMLButtonElement);
const zoomed = find(document, "#zoomed", HTMLOutputElement);
/** @type {View} */
let view = WHOLE;

/**
 * Zoom by `factor` around `at`, in shares of a pane from its centre.
 *
 * @param {number} factor
 * @param {{x: number, y: number}} at
 */
function zoom(factor, at = WHOLE) {
  const own = ownSize();
  const grown = Math.min(Math.max(LARGEST, own), Math.max(Math.min(1, own), view.zoom * factor)) / view.zoom;
  show({ zoom: view.zoom * grown, x: at.x - (at.x - view.x) * grown, y: at.y - (at.y - view.y) * grown });
}

/** @param {number} x @param {number} y in shares of a pane */
const move = (x, y) => show({ ...view, x: view.x + x, y: view.y + y });

/** Keep the edges of a zoomed picture outside of its pane. @param {View} next */
function show(next) {
  const far = Math.max(0, (next.zoom - 1) / 2);
  view = { zoom: next.zoom, x: Math.min(far, Math.max(-far, next.x)), y: Math.min(far, Math.max(-far, next.y)) };
  setProperty(container, "--zoom", view.zoom.toFixed(4));
  setProperty(container, "--x", `${(view.x * 100).toFixed(3)}%`);
  setProperty(container, "--y", `${(view.y * 100).toFixed(3)}%`);
  setAttribute(container, "data-zoomed", view.zoom > 1.001);
  setAttribute(whole, "aria-pressed", Math.abs(view.zoom / ownSize() - 1) < 0.01 ? "true" : "false");
  setText(zoomed, `${number((view.zoom / ownSize()) * 100)}%`);
}

/** The zoom at which a pixel of the first picture is a pixel of the page. */
function ownSize() {
  const [pane] = panes;
  const image = find(pane, "img", HTMLImageElement);
  const box = pane.getBoundingClientRect();
  const width = Number(image.getAttribute("width"));
  const height = Number(image.getAttribute("height"));
  return 1 / Math.min(box.width / width, box.height / height);
}

/** @param {HTMLElement} pane */
function listenTo(pane) {
  const share = (/** @type {{x: number, y: number}} */ by) => ({ x: by.x / pane.clientWidth, y: by.y / pane.clientHeight });
  const toggle = (/** @type {{x: number, y: number}} */ at) => (view.zoom > 1.001 ? show(WHOLE) : zoom(2.5, share(at)));
  new Gestures(pane, {
    isLarger: () => view.zoom > 1.001,
    pan: (by) => move(share(by).x, share(by).y),
    pinch: (factor, at) => zoom(factor, share(at)),
    drag: () => {},
    release: () => {},
    doubleTap: toggle,
    swipe: () => {},
  });
  pane.addEventListener("wheel", (event) => {
    const pixels = event.deltaY * (event.deltaMode === 1 ? LINE_PX : 1);
    // not zoomed: the wheel scrolls the page
    if (view.zoom <= 1.001 && !event.ctrlKey && (pixels > 0 || scrollY > 0)) return;
    event.preventDefault();
    const box = pane.getBoundingClientRect();
    const at = { x: event.clientX - box.x - box.width / 2, y: event.clientY - box.y - box.height / 2 };
    zoom(Math.exp(-pixels * PER_WHEEL_PIXEL * (event.ctrlKey ? 4 : 1)), share(at));
  }, { passive: false });
  pane.addEventListener("keydown", (event) => press(event));
}

/** @param {KeyboardEvent} event */
function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  /** @type {Record<string, () => void>} */
  const keys = {
    "+": () => zoom(PER_KEY),
    "=": () => zoom(PER_KEY),
    "-": () => zoom(1 / PER_KEY),
    0: () => show(WHOLE),
    ArrowLeft: () => move(KEY_STEP, 0),
    ArrowRight: () => move(-KEY_STEP, 0),
    ArrowUp: () => move(0, KEY_STEP),
    ArrowDown: () => move(0, -KEY_STEP),
  };
  const run = keys[event.key];
  if (!run || (event.key.startsWith("Arrow") && view.zoom <= 1.001)) return;
  event.preventDefault();
  run();
}

/** Stacked pictures with a divider. */
function listenToSlider() {
  const button = document.getElementById("slide");
  const slider = document.getElementById("slider");
  if (!button || !(slider instanceof HTMLInputElement)) return;
  const cut = () => setProperty(container, "--cut", `${slider.value}%`);
  slider.addEventListener("input", cut);
  button.addEventListener("click", () => {
    const slides = container.toggleAttribute("data-slides");
    setAttribute(button, "aria-pressed", slides ? "true" : "false");
    slider.hidden = !slides;
    cut();
    show(WHOLE);
    if (slides) slider.focus();
  });
}

const shown = () => /** @type {HTMLElement[]} */ ([...container.querySelectorAll(".compared-picture")]);

/** @param {Element | null} compared @param {boolean} favourite */
function showFavourite(compared, favourite) {
  if (!compared) return;
  setAttribute(compared, "data-favourite", favourite);
  setAttribute(find(compared, "[data-action]", HTMLElement), "aria-pressed", favourite ? "true" : "false");
}

/** Keep the place of a picture in the trash, because it can be restored. @param {HTMLElement} compared @param {boolean} deleted */
function showDeleted(compared, deleted) {
  setAttribute(compared, "data-deleted", deleted);
  find(compared, ".compared-picture__gone", HTMLElement).hidden = !deleted;
}

/** Fetch which of the pictures are not in the trash, and which are favourites. */
async function reread() {
  const tasks = [...new Set(shown().map(({ dataset }) => taskOf(dataset.key ?? "")))];
  /** @type {{kept: Record<string, Record<string, boolean>>, withheld: Record<string, number[]>}} */
  const { kept, withheld } = await send(siteUrl("/collection/"), { tasks });
  for (const compared of shown()) {
    const [taskId, index] = (compared.dataset.key ?? "").split(":");
    const favourite = kept[taskId]?.[index];
    if (withheld[taskId]?.includes(Number(index))) location.reload(); // it is left out then
    showDeleted(compared, favourite === undefined);
    if (favourite !== undefined) showFavourite(compared, favourite);
  }
}

for (const pane of panes) listenTo(pane);
whole.addEventListener("click", () => {
  if (whole.getAttribute("aria-pressed") === "true") show(WHOLE);
  else show({ ...view, zoom: ownSize() });
});
listenToSlider();
listenToMenus();
listenForVarying();
for (const tools of document.querySelectorAll(".comparison__tools, [data-action]")) tools.removeAttribute("hidden");
container.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-action]") : null;
  const key = button?.closest(".compared-picture")?.getAttribute("data-key");
  if (key) setFavourite([key], button?.getAttribute("aria-pressed") !== "true");
});
document.addEventListener("studio:favourite", (event) => {
  const { key, favourite } = /** @type {CustomEvent} */ (event).detail;
  showFavourite(container.querySelector(`[data-key="${key}"]`), favourite);
});
document.addEventListener("studio:deleted", (event) => {
  /** @type {{keys?: string[], tasks?: string[]}} */
  const { keys = [], tasks = [] } = /** @type {CustomEvent} */ (event).detail;
  for (const compared of shown()) {
    const { key = "" } = compared.dataset;
    if (keys.includes(key) || tasks.includes(taskOf(key))) showDeleted(compared, true);
  }
});
import("../connection/other-windows.js").then(({ listenToOtherWindows }) => listenToOtherWindows(container, () => reread().catch(() => {})), () => {}); // offline: no changes from other windows
document.querySelector("[data-back]")?.addEventListener("click", (event) => {
  // back to the same position of the gallery, if the user came from there
  if (!document.referrer.startsWith(location.origin + siteUrl("/gallery/")) || history.length < 2) return;
  event.preventDefault();
  history.back();
});
new ResizeObserver(() => {
  setProperty(container, "--pane", `${panes[0].clientWidth}px`);
  show(view);
}).observe(panes[0]);

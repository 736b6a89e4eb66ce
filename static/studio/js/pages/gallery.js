// @ts-check
/** Entry of the gallery page: wires finding, choosing and looking together. */

import { moveToTrash, orToast } from "../card/actions.js";
import { find, setAttribute, siteUrl } from "../lib/dom.js";
import { nameDays, tilesOf } from "../gallery/gallery-days.js";
import { GalleryPages } from "../gallery/gallery-pages.js";
import { Selection } from "../gallery/gallery-selection.js";
import { HttpRefusal, send } from "../connection/http.js";
import { gettext } from "../lib/i18n.js";
import { listenToMenus } from "../ui/menus.js";
import { newRequestKey } from "../connection/protocol.js";
import { announce, toast } from "../ui/messages.js";
import { isSwitchedOff, isTyping } from "../viewer/viewer-keys.js";
import { listenForVarying, listenForViewing } from "../viewer/picture-links.js";

/** While something is being drawn, its picture is looked for so often. */
const REFRESH_MS = 4_000;
const UNFINISHED = ".tile:is([data-status='queued'], [data-status='running'])";

const found = document.getElementById("gallery-days");
if (found) open(found);
listenToMenus();
/** @type {any} */ (globalThis).studioInputCapture();

/** @param {HTMLElement} gallery */
function open(gallery) {
  const selection = new Selection(gallery, announce);
  const pages = new GalleryPages(gallery, () => selection.refresh());
  listenForViewing();
  listenForVarying();
  listenToActions(gallery, selection, pages);
  listenToKeys(gallery);
  const read = () => void pages.refresh();
  import("../connection/other-windows.js").then(({ listenToOtherWindows }) => listenToOtherWindows(gallery, read), () => {}); // offline: no changes from other windows

  const refresh = () => document.hidden || pages.refresh();
  document.addEventListener("visibilitychange", refresh);
  document.addEventListener("studio:drawn", refresh);
  on("reviewed", ({ keys }) => void pages.replace(keys));
  setInterval(() => gallery.querySelector(UNFINISHED) && refresh(), REFRESH_MS);
  addEventListener("pageshow", (event) => event.persisted && refresh());

  gallery.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-action]") : null;
    const task = button?.closest(".tile")?.getAttribute("data-task");
    if (!task) return;
    if (button?.getAttribute("data-action") === "delete") moveToTrash({ tasks: [task] });
    else retry(task).then((taken) => {
      if (taken) refresh();
    });
  });
}

/** @param {string} task its id */
function retry(task) {
  return orToast(async () => {
    const { frames } = await send(siteUrl("/messages/"), { action: "retry", task_id: task, request_key: newRequestKey() });
    const refusal = frames.find((/** @type {any} */ frame) => frame.type === "error" && !frame.seq);
    if (refusal) throw new HttpRefusal(400, refusal.code, refusal.message, refusal.data);
    const look = () => location.assign(siteUrl("/"));
    toast(gettext("Queued again as a new task"), "plain", { label: gettext("Open the studio"), run: look });
    return true;
  });
}

/**
 * Actions that delete, restore or mark pictures send events on the document.
 *
 * @param {HTMLElement} gallery
 * @param {Selection} selection
 * @param {GalleryPages} pages
 */
function listenToActions(gallery, selection, pages) {
  const tiles = () => /** @type {HTMLElement[]} */ ([...gallery.querySelectorAll(".tile")]);
  /** @param {{keys?: string[], tasks?: string[]}} things */
  const meant = ({ keys = [], tasks = [] }) =>
    tiles().filter(({ dataset }) => keys.includes(dataset.key ?? "") || tasks.includes(dataset.task ?? ""));
  const after = () => {
    nameDays(gallery);
    selection.refresh();
    const left = tilesOf(gallery).length;
    find(document, "#emptied", HTMLElement).hidden = left > 0;
    if (left === 0) pages.more();
  };
  on("favourite", ({ key, favourite }) => {
    for (const tile of meant({ keys: [key] })) setAttribute(tile, "data-favourite", favourite);
    selection.refresh();
  });
  on("deleted", (detail) => {
    const gone = meant(detail);
    const next = neighbour(tiles(), gone);
    const isMeant = !detail.isElsewhere || gone.some((tile) => tile.contains(document.activeElement));
    for (const tile of gone) show(tile, false);
    after();
    if (isMeant && !document.querySelector("dialog[open]")) focusOn(next);
  });
  on("restored", (detail) => {
    const back = meant(detail);
    for (const tile of back) show(tile, true);
    after();
    if (!detail.isElsewhere && !document.querySelector("dialog[open]")) focusOn(back[0]);
  });
}

/**
 * @param {string} what
 * @param {(detail: any) => void} run
 */
function on(what, run) {
  document.addEventListener(`studio:${what}`, (event) => run(/** @type {CustomEvent} */ (event).detail));
}

/**
 * A hidden tile waits for an undo; the viewer passes it by.
 *
 * @param {HTMLElement} tile
 * @param {boolean} shown
 */
function show(tile, shown) {
  tile.hidden = !shown;
  const box = tile.querySelector("input");
  if (box) {
    box.checked = false;
    box.disabled = !shown;
  }
  tile.querySelector(".tile__link")?.toggleAttribute("data-picture-key", false);
  if (shown && tile.dataset.key) tile.querySelector(".tile__link")?.setAttribute("data-picture-key", tile.dataset.key);
}

/**
 * What comes after the last that goes, or before the first.
 *
 * @param {HTMLElement[]} tiles
 * @param {HTMLElement[]} gone
 */
function neighbour(tiles, gone) {
  const stays = (/** @type {HTMLElement} */ tile) => !tile.hidden && !gone.includes(tile);
  const last = tiles.indexOf(gone[gone.length - 1]);
  return tiles.slice(last + 1).find(stays) ?? tiles.slice(0, last).findLast(stays);
}

/** @param {HTMLElement | undefined} tile */
function focusOn(tile) {
  const target = tile?.querySelector("a, button") ?? find(document, "#gallery-filters [name='q']", HTMLInputElement);
  if (target instanceof HTMLElement) target.focus();
}

/** "/" looks for something, U undoes, arrows walk from picture to picture. @param {HTMLElement} gallery */
function listenToKeys(gallery) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (event.key === "/" && !isSwitchedOff()) {
      event.preventDefault();
      find(document, "#gallery-filters [name='q']", HTMLInputElement).select();
    } else if (event.key.toLowerCase() === "u" && !isSwitchedOff()) {
      const undo = [...document.querySelectorAll("#alerts [data-part='action']:not([hidden])")].at(-1);
      if (undo instanceof HTMLElement) undo.click();
    } else if (event.key.startsWith("Arrow")) {
      walk(gallery, event);
    }
  });
}

/** @param {HTMLElement} gallery @param {KeyboardEvent} event */
function walk(gallery, event) {
  const tiles = tilesOf(gallery);
  const here = tiles.findIndex((tile) => tile.contains(document.activeElement));
  if (here < 0) return;
  /** @type {Record<string, () => HTMLElement | undefined>} */
  const ways = {
    ArrowLeft: () => tiles[here - 1],
    ArrowRight: () => tiles[here + 1],
    ArrowUp: () => nearest(tiles[here], tiles.slice(0, here).reverse()),
    ArrowDown: () => nearest(tiles[here], tiles.slice(here + 1)),
  };
  const target = ways[event.key]?.();
  if (!target) return;
  event.preventDefault();
  focusOn(target);
}

/**
 * In the next row that way, the tile that lies nearest to the middle of `from`.
 *
 * @param {HTMLElement} from
 * @param {HTMLElement[]} others in the order in which they come
 */
function nearest(from, others) {
  const middle = from.offsetLeft + from.offsetWidth / 2;
  const row = others.find((tile) => tile.offsetTop !== from.offsetTop)?.offsetTop;
  const away = (/** @type {HTMLElement} */ tile) => Math.abs(tile.offsetLeft + tile.offsetWidth / 2 - middle);
  return others.filter((tile) => tile.offsetTop === row).sort((a, b) => away(a) - away(b))[0];
}

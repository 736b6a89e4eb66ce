// @ts-check
/** Opens the viewer on the pictures of a page; until somebody does, this is all of it that is loaded. */

import { keyInAddress } from "./viewer-page.js";

/** @import {Viewer} from "./viewer.js" */

const PICTURES = "a[data-picture-key]";

/** @type {Promise<Viewer> | null} */
let viewer = null;

/** A plain click opens the viewer; with a modifier, or where it cannot be loaded, the link leads to the file. */
export function listenForViewing() {
  document.addEventListener("click", (event) => {
    const link = linkOf(event);
    if (!link || event.defaultPrevented || !isPlain(event)) return;
    event.preventDefault();
    open(link.dataset.pictureKey ?? "", link).catch(() => location.assign(link.href));
  });
  for (const sign of ["pointerover", "focusin"]) {
    document.addEventListener(sign, (event) => {
      if (linkOf(event)) load().catch(() => {}); // it is tried again, and told, when it is needed
    });
  }
  addEventListener("popstate", follow);
  follow();
}

/** Show what the address says: after Back, after Forward, after a reload. */
function follow() {
  const key = keyInAddress();
  if (key) open(key, null).catch(() => {});
  else viewer?.then((ready) => ready.close());
}

/** @param {Event} event */
function linkOf({ target }) {
  const link = target instanceof Element ? target.closest(PICTURES) : null;
  return link instanceof HTMLAnchorElement ? link : null;
}

/** @param {MouseEvent} event */
const isPlain = (event) =>
  event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;

/**
 * @param {string} key
 * @param {HTMLElement | null} opener null: the address asked for it
 */
async function open(key, opener) {
  (await load()).open(key, opener);
}

function load() {
  viewer ??= Promise.all([import("./viewer.js"), dressed()]).then(([module]) => new module.Viewer());
  viewer.catch(() => (viewer = null));
  return viewer;
}

/** The viewer's own styles are there before it is seen. @returns {Promise<void>} */
function dressed() {
  const { styles = "" } = /** @type {HTMLElement} */ (document.getElementById("viewer-template")).dataset;
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () => {
      link.remove();
      reject(new Error("no styles"));
    });
    link.href = styles;
    document.head.append(link);
  });
}

// @ts-check
/** A plain click on a picture opens the viewer, which is loaded then. */

import { byId, closest, dress, isPlain, lazy, on } from "../lib/dom.js";

/** @import {Viewer} from "./viewer.js" */

/** @type {Viewer | undefined} */
let viewer;
const load = lazy(async () => {
  const [module] = await Promise.all([import("./viewer.js"), dress(byId("viewer-template"))]);
  return (viewer = new module.Viewer());
});

/** @param {Event} event */
const linkOf = (event) => /** @type {HTMLAnchorElement | null} */ (closest(event, "a[data-picture-key]"));

/** A plain click opens the viewer; with a modifier, or where it cannot be loaded, the link leads to the file. */
export function listenForViewing() {
  on(document, "click", (event) => {
    const link = linkOf(event);
    if (!link || !isPlain(event)) return;
    event.preventDefault();
    load().then((ready) => ready.open(link.dataset.pictureKey ?? "", link)).catch(() => location.assign(link.href));
  });
  for (const sign of /** @type {const} */ (["pointerover", "focusin"])) {
    on(document, sign, (event) => {
      if (linkOf(event)) load().catch(() => {}); // loading is tried again, with an error message, when it is needed
    });
  }
  on(window, "popstate", follow);
  follow();
}

/** Show what the address says: after Back, after Forward, after a reload. */
function follow() {
  if (location.hash.startsWith("#picture=")) load().then((ready) => ready.follow()).catch(() => {});
  else viewer?.close();
}

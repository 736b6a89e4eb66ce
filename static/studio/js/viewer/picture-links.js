// @ts-check
/** Clicks on pictures and on "Vary" links; what they open or do is loaded then. */

import { byId, closest, isPlain, lazy, loadStyles, on, siteUrl } from "../lib/dom.js";
import { label } from "../lib/i18n.js";
import { toast } from "../ui/messages.js";

/** @import {Viewer} from "./viewer.js" */
/** @import {About} from "./viewer-panel.js" */

/** @type {Viewer | undefined} */
let viewer;
const load = lazy(async () => {
  const [module] = await Promise.all([import("./viewer.js"), loadStyles(byId("viewer-template"))]);
  return (viewer = new module.Viewer());
});

/** @param {Event} event */
const pictureLink = (event) => /** @type {HTMLAnchorElement | null} */ (closest(event, "a[data-picture-key]"));

/** A plain click opens the viewer; with a modifier, or if the viewer cannot be loaded, the link opens the file. */
export function listenForViewing() {
  on(document, "click", (event) => {
    const link = pictureLink(event);
    if (!link || !isPlain(event)) return;
    event.preventDefault();
    load().then((ready) => ready.open(link.dataset.pictureKey ?? "", link)).catch(() => location.assign(link.href));
  });
  for (const name of /** @type {const} */ (["pointerover", "focusin"])) {
    on(document, name, (event) => {
      if (pictureLink(event)) load().catch(() => {}); // loading is tried again, with an error message, when it is needed
    });
  }
  on(window, "popstate", showFromUrl);
  showFromUrl();
}

/** Show the picture in the URL, after Back, Forward or a reload. */
function showFromUrl() {
  if (location.hash.startsWith("#picture=")) load().then((ready) => ready.showFromUrl()).catch(() => {});
  else viewer?.close();
}

/**
 * A plain click on "Vary" or "Vary slightly" submits a task; the link itself leads to the form.
 *
 * @param {(about: About) => void} change edits more than the seed
 */
export function listenForVarying(change = ({ key }) => location.assign(siteUrl(`/?from=${key}`))) {
  on(document, "click", (event) => {
    const link = closest(event, "a[href*='?from=']");
    if (!(link instanceof HTMLAnchorElement) || link.ariaBusy === "true" || !isPlain(event)) return;
    event.preventDefault();
    link.ariaBusy = "true";
    const { searchParams } = new URL(link.href);
    import("../card/actions.js").then(({ vary }) => vary(searchParams.get("from") ?? "", searchParams.has("small"), change))
      .catch(() => toast(label("error", "unavailable"), "fail"))
      .finally(() => (link.ariaBusy = null));
  });
}

// @ts-check
/** One press on "Vary" or "Vary slightly" draws; the link itself, in another tab, leads to the form. */

import { at } from "./base.js";
import { closest, isPlain } from "./dom.js";
import { errorSentence } from "./i18n.js";
import { toast } from "./toasts.js";

/** @import {About} from "./viewer-panel.js" */

/**
 * @param {(about: About) => void} change where more than the seed can be changed
 */
export function listenForVarying(change = ({ key }) => location.assign(at(`/?from=${key}`))) {
  document.addEventListener("click", (event) => {
    const link = closest(event, "a[href*='?from=']");
    if (!(link instanceof HTMLAnchorElement) || link.ariaBusy === "true" || !isPlain(event)) return;
    event.preventDefault();
    link.ariaBusy = "true";
    const { searchParams } = new URL(link.href);
    import("./deeds.js").then(({ vary }) => vary(searchParams.get("from") ?? "", searchParams.has("small"), change))
      .catch(() => toast(errorSentence("unavailable"), "fail"))
      .finally(() => (link.ariaBusy = null));
  });
}

// @ts-check
/** One press on "Vary" or "Vary slightly" draws; the link itself, in another tab, leads to the form. */

import { at, closest, isPlain, on } from "../lib/dom.js";
import { errorSentence } from "../lib/i18n.js";
import { toast } from "../ui/toasts.js";

/** @import {About} from "./viewer-panel.js" */

/**
 * @param {(about: About) => void} change where more than the seed can be changed
 */
export function listenForVarying(change = ({ key }) => location.assign(at(`/?from=${key}`))) {
  on(document, "click", (event) => {
    const link = closest(event, "a[href*='?from=']");
    if (!(link instanceof HTMLAnchorElement) || link.ariaBusy === "true" || !isPlain(event)) return;
    event.preventDefault();
    link.ariaBusy = "true";
    const { searchParams } = new URL(link.href);
    import("../card/actions.js").then(({ vary }) => vary(searchParams.get("from") ?? "", searchParams.has("small"), change))
      .catch(() => toast(errorSentence("unavailable"), "fail"))
      .finally(() => (link.ariaBusy = null));
  });
}

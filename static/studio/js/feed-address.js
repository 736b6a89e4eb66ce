// @ts-check
/** The filter of the feed in the page's address, so that Back, Forward and Reload keep it. */

import { setAttribute } from "./dom.js";

const FILTERS = ["active", "completed", "stopped"];

/** "all", or one of the filters. */
export function filterInAddress() {
  const asked = new URLSearchParams(location.search).get("show") ?? "";
  return FILTERS.includes(asked) ? asked : "all";
}

/** A step in the history. @param {string} filter */
export const stepTo = (filter) => history.pushState(null, "", filter === "all" ? location.pathname : `?show=${filter}`);

/** Another language leads to the same address. */
export function tellLanguages() {
  for (const next of document.querySelectorAll(".language [name='next']")) setAttribute(next, "value", location.pathname + location.search);
}

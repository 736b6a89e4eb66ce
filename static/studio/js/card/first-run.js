// @ts-check
/** The view of a studio without tasks; a page with cards fetches it when the last card is removed. */

import { loadStyles, siteUrl } from "../lib/dom.js";

/**
 * Resolves once the view is in the page; rejects if the request fails or other tasks exist.
 *
 * @param {HTMLElement} taskList
 */
export async function fetchFirstRun(taskList) {
  const response = await fetch(siteUrl("/"));
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const empty = page.getElementById("empty");
  if (!empty) throw new Error("there are tasks");
  empty.dataset.styles = page.querySelector("link[href*='first-run']")?.getAttribute("href") ?? "";
  await loadStyles(empty);
  if (!document.getElementById("empty")) taskList.append(document.adoptNode(empty));
}

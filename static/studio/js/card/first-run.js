// @ts-check
/** What the studio shows before the first task: a page with cards fetches it when the last card leaves. */

import { at, dress } from "../lib/dom.js";

/**
 * Resolves once it is in the page; rejects if the server knows of other tasks, or of nothing.
 *
 * @param {HTMLElement} taskList
 */
export async function fetchFirstRun(taskList) {
  const response = await fetch(at("/"));
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const empty = page.getElementById("empty");
  if (!empty) throw new Error("there are tasks");
  empty.dataset.styles = page.querySelector("link[href*='first-run']")?.getAttribute("href") ?? "";
  await dress(empty);
  if (!document.getElementById("empty")) taskList.append(document.adoptNode(empty));
}

// @ts-check
// Refreshes the operations page every few seconds. Focus, open tables and their scroll positions stay.

const live = /** @type {HTMLElement} */ (document.getElementById("operations-live"));
const stale = /** @type {HTMLElement} */ (document.getElementById("operations-stale"));
const news = /** @type {HTMLElement} */ (document.getElementById("operations-news"));
const pause = Number(live.dataset.seconds) * 1000;

/** Whether the operator reads or marks something that must not be replaced now. */
function isInUse() {
  const selection = getSelection();
  return document.hidden || Boolean(selection && !selection.isCollapsed && live.contains(selection.anchorNode));
}

/** The warnings as text. @param {ParentNode} root */
function warningsOf(root) {
  return [...root.querySelectorAll("[data-warning]")].map((warning) => warning.querySelector("p")?.textContent?.trim() ?? "");
}

/** Replace the content of the page by that of `fresh`. @param {Document} fresh */
function replace(fresh) {
  const focused = live.contains(document.activeElement) ? document.activeElement?.id : "";
  const open = [...live.querySelectorAll("details[open]")].map(({ id }) => id);
  const scrolled = [...live.querySelectorAll(".ops-scroll")].map(({ scrollTop, scrollLeft }) => ({ scrollTop, scrollLeft }));
  const known = warningsOf(live);
  for (const id of open) fresh.getElementById(id)?.setAttribute("open", "");
  live.replaceChildren(...fresh.body.childNodes);
  live.querySelectorAll(".ops-scroll").forEach((box, index) => Object.assign(box, scrolled[index]));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  // a screen reader says a new warning once, and no figures
  news.textContent = warningsOf(live).filter((text) => !known.includes(text)).join(" ");
}

async function refresh() {
  try {
    const response = await fetch(live.dataset.url ?? "", { redirect: "error", cache: "no-store" });
    if (!response.ok) throw new Error(response.statusText);
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!isInUse()) replace(fresh);
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
}

async function follow() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (!isInUse()) await refresh();
  }
}

follow();

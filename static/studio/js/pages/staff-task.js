// @ts-check
// Keeps the staff's page of a task up to date while the task is unfinished. Focus and what is open stay.

const ASK_MS = 3_000;
/** Without news time still passes in the drawing. */
const REDRAW_MS = 15_000;

const head = () => /** @type {HTMLElement} */ (document.getElementById("staff-task"));

/** Whether something on the page is marked, which must not be replaced now. */
function isInUse() {
  const selection = getSelection();
  return document.hidden || Boolean(selection && !selection.isCollapsed);
}

const FOCUSABLE = "a, button, summary, input, select";

/**
 * Replace a part by its newer one.
 *
 * @param {Element} old
 * @param {Element} fresh
 */
function replace(old, fresh) {
  const focused = [...old.querySelectorAll(FOCUSABLE)].findIndex((node) => node === document.activeElement);
  const open = [...old.querySelectorAll("details")].map((part) => part.open);
  old.replaceWith(fresh);
  fresh.querySelectorAll("details").forEach((part, index) => part.toggleAttribute("open", open[index] ?? part.open));
  const again = fresh.querySelectorAll(FOCUSABLE)[focused];
  if (again instanceof HTMLElement) again.focus({ preventScroll: true });
}

async function redraw() {
  const response = await fetch(location.href, { redirect: "error", cache: "no-store" });
  if (!response.ok || isInUse()) return;
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const old = document.getElementById(part.id);
    if (old && old.outerHTML !== part.outerHTML) replace(old, document.adoptNode(part));
  }
}

async function follow() {
  let drawnAt = Date.now();
  while (head().hasAttribute("data-goes-on")) {
    await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    if (isInUse()) continue;
    try {
      const response = await fetch(head().dataset.url ?? "", { redirect: "error", cache: "no-store" });
      const { seq } = response.ok ? await response.json() : { seq: 0 };
      if (seq > Number(head().dataset.seq) || Date.now() - drawnAt > REDRAW_MS) {
        await redraw();
        drawnAt = Date.now();
      }
    } catch {
      // the server cannot be reached: it is asked again
    }
  }
}

follow();

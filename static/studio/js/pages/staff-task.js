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

/**
 * Replace a part by its newer one; what had the focus keeps it, or gives it to its neighbour.
 *
 * @param {Element} old
 * @param {Element} fresh
 */
function replace(old, fresh) {
  const active = document.activeElement;
  const tag = active && old.contains(active) ? active.tagName : "";
  const index = tag ? [...old.querySelectorAll(tag)].findIndex((node) => node === active) : -1;
  const open = [...old.querySelectorAll("details")].map((part) => part.open);
  old.replaceWith(fresh);
  fresh.querySelectorAll("details").forEach((part, at) => part.toggleAttribute("open", open[at] ?? part.open));
  if (!tag) return;
  const alike = [...fresh.querySelectorAll(tag)];
  const again = (active?.id && document.getElementById(active.id)) || alike[Math.min(index, alike.length - 1)];
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

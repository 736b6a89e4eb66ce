"""Layout faults of a page, measured in the browser."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

DESKS = ["1280x720", "1366x768", "1440x900", "1024x768", "1000x700", "820x1180", "768x1024"]
"""Windows with the composer beside the task list."""

# if the page can be scrolled sideways: by how much, and the elements beyond the right edge
BEYOND_THE_WINDOW = """() => {
  const pixels = document.documentElement.scrollWidth - innerWidth;
  return pixels <= 0 ? [] : [`${pixels} px`, ...[...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth)
    .map((element) => element.cloneNode().outerHTML)];
}"""

# texts of two elements that cover each other, and texts that a picture or a step grid covers
COVERED_TEXTS = """(root) => {
  const boxes = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const owner = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    if (!text || !owner.checkVisibility({ visibilityProperty: true })) continue;
    if (getComputedStyle(owner).clipPath !== "none") continue; // for screen readers
    if (owner.closest("[role=progressbar]")) continue; // large digits, whose box is higher
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    const shown = owner.closest(".prompt")?.getBoundingClientRect(); // the rest is clamped
    for (const box of range.getClientRects()) {
      if (!shown || box.bottom <= shown.bottom + 1) boxes.push({ owner, box, text });
    }
  }
  for (const owner of root.querySelectorAll(".frame")) {
    const box = owner.getBoundingClientRect();
    if (owner.checkVisibility()) boxes.push({ owner, box, text: "frame" });
  }
  return boxes.flatMap((a, i) => boxes.slice(i + 1).flatMap((b) => {
    const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
    const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
    const isOwn = a.owner === b.owner || (b.text === "frame" && b.owner.contains(a.owner));
    return !isOwn && wide > 2 && high > 3 ? [`${a.text} / ${b.text}`] : [];
  }));
}"""

# controls on which something else lies once they are scrolled into view
COVERED_CONTROLS = """(root) => [
    ...root.querySelectorAll("a[href], button, input, select, textarea, summary")
  ]
  .filter((control) => control.checkVisibility() && !control.disabled)
  .filter((control) => {
    control.scrollIntoView({ block: "nearest", inline: "nearest" });
    const { left, right, top, bottom } = control.getClientRects()[0];
    return [top + 3, (top + bottom) / 2, bottom - 3].some((y) => {
      const hit = document.elementFromPoint((left + right) / 2, y);
      const isOwn = hit && (control.contains(hit) || hit.contains(control));
      return !isOwn && !control.labels?.[0]?.contains(hit);
    });
  })
  .map((control) => control.outerHTML)"""

# controls that are less than 44 px high or wide for a finger; links within a sentence may be
SMALL_TARGETS = """(root) => [
    ...root.querySelectorAll("a[href], button, input, select, textarea, summary")
  ]
  .filter((control) => control.checkVisibility({ visibilityProperty: true }) && !control.disabled)
  .filter((control) => getComputedStyle(control).clipPath === "none") // for screen readers
  .filter((control) => control.offsetLeft + control.offsetWidth > 0) // the link to the content
  .filter((control) => {
    const isInText = control.tagName === "A" && getComputedStyle(control).display === "inline";
    const box = (control.labels?.[0] ?? control).getBoundingClientRect();
    const own = control.getBoundingClientRect();
    return !isInText && Math.max(box.height, own.height) < 43.5 && box.height > 0;
  })
  .map((control) => control.outerHTML)"""


def beyond_the_window(page: Page) -> list[str]:
    """By how much the page is wider than its window, and the elements that reach beyond it."""
    elements: list[str] = page.evaluate(BEYOND_THE_WINDOW)
    return elements


def covered_texts(root: Locator) -> list[str]:
    texts: list[str] = root.evaluate(COVERED_TEXTS)
    return texts


def covered_controls(root: Locator) -> list[str]:
    names: list[str] = root.evaluate(COVERED_CONTROLS)
    return names


def small_targets(root: Locator) -> list[str]:
    controls: list[str] = root.evaluate(SMALL_TARGETS)
    return controls


def resize(page: Page, size: str) -> None:
    width, height = map(int, size.split("x"))
    page.set_viewport_size({"width": width, "height": height})
    # layout follows in the second next frame
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )

"""Accessibility violations that axe-core finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
# A colour half way through a transition is none of the theme's.
ASK = """async () => {
  const moving = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
  await Promise.allSettled(moving.map((transition) => transition.finished));
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.map(({ id, impact, nodes }) => ({
    id, impact, nodes: nodes.map(({ target, failureSummary }) => `${target}: ${failureSummary}`),
  }));
}"""


def serious_violations(page: Page) -> list[Any]:
    """Serious accessibility violations of the page in its current state and theme."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm is missing")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    return [fault for fault in page.evaluate(ASK) if fault["impact"] in SERIOUS]

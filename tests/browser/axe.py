"""Accessibility violations that axe-core finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")
# A colour half way through a transition is none of the theme's. Imports of style sheets are not
# preloaded, because axe writes an inline style for them.
ASK = """async (rules) => {
  const moving = document.getAnimations().filter((animation) => animation instanceof CSSTransition);
  await Promise.allSettled(moving.map((transition) => transition.finished));
  const only = rules.length ? { runOnly: rules } : {};
  const options = { resultTypes: ["violations"], preload: false, ...only };
  const { violations } = await axe.run(document, options);
  return violations.map(({ id, impact, nodes }) => ({
    id, impact, nodes: nodes.map(({ target, failureSummary }) => `${target}: ${failureSummary}`),
  }));
}"""


OF_COLOURS = ("color-contrast", "link-in-text-block")
"""Rules whose result another theme can change."""


def serious_violations(page: Page, rules: Sequence[str] = ()) -> list[Any]:
    """Serious violations of `rules`, or of all, of the page in its current state and theme."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm is missing")
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    return [fault for fault in page.evaluate(ASK, list(rules)) if fault["impact"] in SERIOUS]


def violations_by_theme(page: Page) -> dict[str, list[Any]]:
    """Serious violations of the page in its current state, in the light and the dark theme."""
    page.emulate_media(color_scheme="light")
    found = {"light": serious_violations(page)}
    page.emulate_media(color_scheme="dark")
    found["dark"] = serious_violations(page, OF_COLOURS)
    return {theme: faults for theme, faults in found.items() if faults}

"""Accounts with galleries, and what a gallery shows."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page

from tests.browser.gallery_rows import Rows

MANY = 135
FAILED = {"status": "failed", "step": "decoding", "error_code": "model_error", "progress": 40}
SIX: Rows = [{"prompt": f"picture {number}"} for number in range(1, 7)]
MIXED: Rows = [
    {"prompt": "朱红油纸伞", "favourite": True},
    {"prompt": "雪夜山寺"},
    {"prompt": "千里江山长卷", **FAILED},
]
GALLERIES: dict[str, Rows] = {
    "filters": MIXED,
    "scroller": [{"prompt": f"number {n}", "minutes": 20 * n} for n in range(MANY)],
    "chooser": SIX,
    "packer": SIX,
    "marker": SIX,
    "retrier": MIXED,
    "typist": SIX,
    "comparer": [
        {"prompt": "same words", "seed": 1, "colour": "teal"},
        {"prompt": "same words", "seed": 2, "colour": "maroon"},
    ],
    "phone": [*MIXED, {"prompt": "一" * 300, "width": 1024}, *SIX],
    "scriptless": [{"prompt": f"number {n}"} for n in range(70)],
}

Visit = Callable[..., Page]


def tiles(page: Page) -> Locator:
    return page.locator(".tile:visible")


def box(page: Page, number: int) -> Locator:
    return page.locator(".tile[data-key]:visible input[name=pictures]").nth(number)


def bar(page: Page) -> Locator:
    return page.locator("#selection")

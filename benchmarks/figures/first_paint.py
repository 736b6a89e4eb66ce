"""The weight of pages, and the first paint of the studio on a slow connection."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Response

from benchmarks.lib.browser import chromium, throttled, window
from benchmarks.lib.report import Goal, Report, Table, ratio_goal, spread
from benchmarks.lib.testbed import OURS, Person, Served, Side, Testbed

WEIGHT_GOAL = 100 * 1024
PAINT_GOAL = 2.5
PAGES = {"studio": "/", "gallery": "/gallery/", "sign-in": "/accounts/sign-in/"}
STATIC = Side("static page", "benchmarks.servers.static_page:application")
OWN = re.compile(r"/static/studio/.+\.(css|js)$")
PAPER = re.compile(r"/print\.")
TAGS = re.compile(rb"<link rel=\"stylesheet\"[^>]*>|<script (?!id)[^>]*></script>")
PAINTED = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => {
    const paint = list.getEntriesByName("first-contentful-paint")[0];
    if (paint) resolve(paint.startTime);
  }).observe({ type: "paint", buffered: true });
})"""


def measure(quick: bool) -> Report:
    rounds = 1 if quick else 5
    with Testbed() as testbed, chromium() as browser:
        testbed.studio.manage("collectstatic", "--no-input", "-v", "0")
        person, busy = testbed.writer.people(2)
        testbed.writer.events(testbed.writer.task(busy), 20)
        with testbed.serving(OURS) as ours:
            weights = {name: weigh(browser, ours, person, url) for name, url in PAGES.items()}
            weights["studio, a task at work"] = weigh(browser, ours, busy, "/")
            folder = Path(testbed.folder.name) / "static-page"
            write_static_page(browser, ours, person, folder)
            testbed.studio.env["STATIC_PAGE"] = str(folder)
            with testbed.serving(STATIC) as static:
                pairs = [
                    (
                        paint(browser, ours, person, "/"),
                        paint(browser, static, person, "/index.html"),
                    )
                    for _round in range(rounds + 1)
                ][1:]
    ratios = [ours / floor for ours, floor in pairs]
    heaviest = max(sum(kinds.values()) for kinds in weights.values())
    return Report(
        title="First paint and weight of a page",
        how="Chromium with an empty cache. Weight: own style sheets and scripts as the browser "
        "receives them, uncompressed. First paint with 400 ms, 50 KB/s and a processor a "
        f"quarter as fast, {rounds} rounds after a warm-up, both sides in turn; the static page "
        "has the same HTML, all styles in one file and as many bytes of script.",
        tables=[weight_table(weights), paint_table(pairs)],
        goals=[
            Goal(
                wanted="under 100 KiB of own CSS and JS on a page",
                measured=f"{heaviest / 1024:.1f} KiB",
                met=heaviest < WEIGHT_GOAL,
            ),
            ratio_goal("first paint within 2.5 × a static page", ratios, most=PAINT_GOAL),
        ],
    )


def weight_table(weights: dict[str, dict[str, int]]) -> Table:
    rows = [
        [name, *(f"{size / 1024:.1f}" for size in (kinds["css"], kinds["js"], sum(kinds.values())))]
        for name, kinds in weights.items()
    ]
    return Table(columns=("page", "CSS, KiB", "JS, KiB", "together, KiB"), rows=rows)


def paint_table(pairs: list[tuple[float, float]]) -> Table:
    ours, static = zip(*pairs, strict=True)
    rows = [["studio", spread(list(ours), 0)], ["static page", spread(list(static), 0)]]
    return Table(columns=("page", "first paint, ms"), rows=rows)


def weigh(browser: Browser, served: Served, person: Person, url: str) -> dict[str, int]:
    """Bytes of own CSS and JS that opening the page loads."""
    loaded = own_files(browser, served, person, url)
    return {
        kind: sum(len(body) for name, body in loaded.items() if name.endswith(kind))
        for kind in ("css", "js")
    }


def own_files(browser: Browser, served: Served, person: Person, url: str) -> dict[str, bytes]:
    with window(browser, served, person) as context:
        if "sign-in" in url:
            context.clear_cookies()
        page = context.new_page()
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))
        page.goto(url, wait_until="networkidle")
        return {
            answer.url: answer.body()
            for answer in answers
            if OWN.search(answer.url) and answer.status == 200
        }


def write_static_page(browser: Browser, served: Served, person: Person, folder: Path) -> None:
    folder.mkdir()
    loaded = own_files(browser, served, person, "/")
    styles = b"".join(
        # unwrapped, print styles would hide the page
        b"@media print {%s}" % body if PAPER.search(name) else body
        for name, body in loaded.items()
        if name.endswith(".css")
    )
    scripts = sum(len(body) for name, body in loaded.items() if name.endswith(".js"))
    with window(browser, served, person) as context:
        html = context.request.get("/").body()
    links = b'<link rel="stylesheet" href="all.css"><script src="all.js" defer></script>'
    (folder / "index.html").write_bytes(TAGS.sub(b"", html).replace(b"</head>", links + b"</head>"))
    (folder / "all.css").write_bytes(styles)
    # as hard to compress as scripts are: a third of it is noise
    (folder / "all.js").write_bytes(b"/*" + filler(scripts) + b"*/")


def filler(length: int) -> bytes:
    words = [f"{number * 2654435761 % 2**32:x} const return " for number in range(length // 18)]
    return "".join(words).encode()[:length]


def paint(browser: Browser, served: Served, person: Person, url: str) -> float:
    """Milliseconds to the first contentful paint, with an empty cache."""
    with window(browser, served, person) as context:
        page: Page = context.new_page()
        throttled(page)
        page.goto(url, wait_until="commit", timeout=120_000)
        painted: Any = page.evaluate(PAINTED)
        return float(painted)

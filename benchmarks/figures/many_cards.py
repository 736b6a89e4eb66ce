"""Frame times with 200 cards that change four times a second; memory after an hour of events."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, WebSocket, expect

from benchmarks.lib.browser import DESK, chromium, traced, window
from benchmarks.lib.report import Goal, Report, Table, percentile
from benchmarks.lib.testbed import Person, Side, Testbed

SCRIPTED = Side("scripted socket", "benchmarks.servers.scripted_socket:application")
CARDS = 200
PER_SECOND = 4
FRAME_GOAL_MS = 50
HOUR_OF_EVENTS = 3_600 * 20
"""Events of five model replicas that report four steps a second, in an hour."""

GROWTH_GOAL = 1.1
LONG_MS = 300_000
PAUSES = """() => {
  const pauses = (window.pauses = []);
  let last = performance.now();
  const frame = (now) => { pauses.push(now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""


def measure(quick: bool) -> Report:
    cards, seconds, events = (20, 3, 2_000) if quick else (CARDS, 20, HOUR_OF_EVENTS)
    with Testbed() as testbed, chromium() as browser:
        testbed.studio.manage("collectstatic", "--no-input", "-v", "0")
        (person,) = testbed.writer.people(1)
        testbed.studio.env |= {"CARDS": str(cards), "PER_SECOND": str(PER_SECOND)}
        floor = empty_page_frames(browser, seconds)
        pauses, tasks = watch_frames(browser, testbed, person, cards, seconds)
        testbed.studio.env |= {"CARDS": "20", "EVENTS": str(events)}
        before, after = watch_memory(browser, testbed, person)
    worst = percentile(pauses, 0.99)
    growth = after["heap"] / before["heap"]
    return Report(
        title="Many cards, and an hour",
        how=f"Chromium, desk size; a scripted socket plays {cards} running tasks with "
        f"{PER_SECOND} events a second each for {seconds} s, traced. Then {events:,} events for "
        "20 cards as fast as the page takes them; memory after a collection, when a tenth and "
        "when all of them are shown. Once.",
        tables=[
            Table(
                columns=("what", "median, ms", "p99, ms", "longest, ms"),
                rows=[
                    ["between two frames", *three(pauses)],
                    ["the same of an empty page, just before", *three(floor)],
                    ["one task of the main thread", *three(tasks)],
                ],
            ),
            Table(
                columns=("after", "heap, MiB", "nodes", "listeners"),
                rows=[memory_row("a tenth", before), memory_row("all", after)],
            ),
        ],
        goals=[
            Goal(
                wanted=f"frames at most {FRAME_GOAL_MS} ms apart (p99)",
                measured=f"{worst:.0f} ms; {percentile(floor, 0.99):.0f} ms of an empty page",
                met=worst <= FRAME_GOAL_MS,
            ),
            Goal(
                wanted="no growth of memory in an hour of events (heap at most 1.1 ×)",
                measured=f"{growth:.2f} ×",
                met=growth <= GROWTH_GOAL,
            ),
        ],
        notes=[
            f"{(after['heap'] - before['heap']) / (0.9 * events):.0f} bytes more for each event "
            "between the two measurements, and no listener: no event is kept. The first "
            "measurement is of a page that has just started; which parts of the browser still "
            "grow after it is not known."
        ],
    )


def empty_page_frames(browser: Browser, seconds: float) -> list[float]:
    """Milliseconds between frames that the machine leaves to a page without work."""
    page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    page.evaluate(PAUSES)
    page.wait_for_timeout(seconds * 1000)
    pauses: list[float] = page.evaluate("window.pauses")
    page.close()
    return pauses


def watch_frames(
    browser: Browser, testbed: Testbed, person: Person, cards: int, seconds: float
) -> tuple[list[float], list[float]]:
    """(ms between frames, ms of each task of the page's main thread)."""
    with testbed.serving(SCRIPTED) as served, window(browser, served, person) as context:
        page = context.new_page()
        sockets: list[WebSocket] = []
        page.on("websocket", lambda socket: sockets.append(socket))
        open_studio(page, cards)
        page.wait_for_timeout(3_000)
        page.evaluate(PAUSES)
        events = traced(browser, page, seconds)
        pauses: list[float] = page.evaluate("window.pauses")
        # a new connection has other tasks
        assert len(sockets) == 1, "the page lost its connection; the machine is too busy"
    return pauses, main_thread_tasks(events)


def main_thread_tasks(events: list[dict[str, Any]]) -> list[float]:
    threads = {
        (event["pid"], event["tid"]): 0.0
        for event in events
        if event.get("name") == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    runs = [
        event
        for event in events
        if event.get("name") == "RunTask" and (event["pid"], event["tid"]) in threads
    ]
    for event in runs:
        threads[event["pid"], event["tid"]] += event.get("dur", 0)
    busiest = max(threads, key=lambda key: threads[key])
    return [event.get("dur", 0) / 1000 for event in runs if (event["pid"], event["tid"]) == busiest]


def watch_memory(
    browser: Browser, testbed: Testbed, person: Person
) -> tuple[dict[str, float], dict[str, float]]:
    with testbed.serving(SCRIPTED) as served, window(browser, served, person) as context:
        page = context.new_page()
        session = context.new_cdp_session(page)
        page.goto("/")
        prompt = page.locator("article.card .card__prompt")
        expect(prompt.get_by_text("a tenth", exact=True)).to_be_attached(timeout=LONG_MS)
        before = memory(session)
        expect(prompt.get_by_text("all", exact=True)).to_be_attached(timeout=LONG_MS)
        page.wait_for_timeout(1_000)
        return before, memory(session)


def memory(session: CDPSession) -> dict[str, float]:
    """After a collection: heap in bytes, DOM nodes, listeners."""
    session.send("HeapProfiler.enable")
    for _again in range(2):
        session.send("HeapProfiler.collectGarbage")
    session.send("Performance.enable")
    metrics = {
        each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]
    }
    return {
        "heap": metrics["JSHeapUsedSize"],
        "nodes": metrics["Nodes"],
        "listeners": metrics["JSEventListeners"],
    }


def open_studio(page: Page, cards: int) -> None:
    page.goto("/")
    expect(page.locator("article.card")).to_have_count(cards, timeout=60_000)
    expect(page.locator("article.card[data-status=running]")).to_have_count(cards, timeout=60_000)


def three(values: list[float]) -> list[str]:
    ordered = sorted(values)
    return [f"{percentile(ordered, share):.1f}" for share in (0.5, 0.99, 1.0)]


def memory_row(when: str, used: dict[str, float]) -> list[str]:
    return [
        when,
        f"{used['heap'] / 2**20:.1f}",
        f"{used['nodes']:.0f}",
        f"{used['listeners']:.0f}",
    ]

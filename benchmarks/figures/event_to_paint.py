"""Time from a commit of a worker until a browser has painted it."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median

from playwright.sync_api import Page, expect

from benchmarks.figures.fan_out import Published, broadcast
from benchmarks.lib.browser import chromium, window
from benchmarks.lib.report import Report, Table, percentile, ratio_goal, ratios, spread
from benchmarks.lib.rounds import alternating
from benchmarks.lib.testbed import OURS, Served, Side, Testbed

BARE = Side("bare page", "benchmarks.servers.bare_page:application")
SIDES = (OURS.name, BARE.name)
PER_SECOND = 17.3
"""No divisor of 60: events must not always fall on the same moment of a frame."""

GOAL_RATIO = 1.5
PATIENCE_MS = 10_000
CLOCK_SAMPLES = 50

WATCH = """(selector) => {
  const watched = document.querySelector(selector);
  const channel = new MessageChannel();
  let seen = [];
  let going = true;
  window.painted = [];
  const observer = new MutationObserver(() => seen.push(watched.textContent));
  observer.observe(watched, { childList: true, characterData: true, subtree: true });
  channel.port1.onmessage = () => {
    const now = performance.timeOrigin + performance.now();
    for (const text of seen) window.painted.push([text, now]);
    seen = [];
  };
  const frame = () => {
    channel.port2.postMessage(0);
    if (going) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.stopWatching = () => { going = false; observer.disconnect(); };
}"""
"""A frame posts a message to itself, which is handled after that frame was painted: changes up to
then count as painted in it."""

Run = Callable[[int], list[float]]
"""Takes a number of events; ms from each commit until a frame with it was painted."""


def measure(quick: bool) -> Report:
    rounds, events = (1, 10) if quick else (7, 40)
    delays: dict[str, list[list[float]]] = defaultdict(list)
    with Testbed() as testbed, chromium() as browser:
        testbed.studio.manage("collectstatic", "--no-input", "-v", "0")
        (person,) = testbed.writer.people(1)
        tasks = [testbed.writer.task(person) for _round in range(rounds + 1)]
        with (
            testbed.serving(OURS) as ours,
            testbed.serving(BARE) as bare,
            window(browser, ours, person) as ours_window,
            window(browser, bare, person) as bare_window,
        ):
            studio, floor = ours_window.new_page(), bare_window.new_page()
            error = clock_error(studio)
            runs = {
                OURS.name: studio_run(testbed, studio, tasks),
                BARE.name: bare_run(bare, floor),
            }
            for name in SIDES:
                runs[name](events)
            for number in range(rounds):
                for name in alternating(SIDES, number):
                    delays[name].append(runs[name](events))
    return report(delays, error, events, rounds)


def studio_run(testbed: Testbed, page: Page, tasks: list[str]) -> Run:
    """Watches the percent on another card each time; the writer commits, as a worker does."""
    page.goto("/")
    expect(page.locator("article.card[data-status=running]")).to_have_count(len(tasks))
    left = list(tasks)

    def run(events: int) -> list[float]:
        task = left.pop()

        def publish_percents() -> Published:
            result = testbed.writer.call(
                "publish_percents", task=task, count=events, per_second=PER_SECOND
            )
            return [(percent, stamp) for percent, stamp in result["published"]]

        return watch(page, f"#task-{task} [data-part=percent]", publish_percents)

    return run


def bare_run(served: Served, page: Page) -> Run:
    """Watches the number on a page of twenty lines; nothing is stored."""
    page.goto("/")
    expect(page.locator("body[data-ready]")).to_be_attached()
    publish = broadcast(served.url)
    return lambda events: watch(page, "#number", lambda: publish(events, PER_SECOND))


def watch(page: Page, selector: str, publish: Callable[[], Published]) -> list[float]:
    """Milliseconds per event; a later event in the same frame counts for both."""
    page.bring_to_front()
    page.evaluate(WATCH, selector)
    published = publish()
    last = str(published[-1][0])
    page.wait_for_function(
        "(last) => window.painted.some(([text]) => text === last)", arg=last, timeout=PATIENCE_MS
    )
    painted: list[tuple[str, float]] = page.evaluate("stopWatching(), window.painted")
    # the writer's stamps are of the monotonic clock, the page's of the wall clock
    ahead = (time.time_ns() - time.monotonic_ns()) / 1e6
    delays = []
    for number, stamp in published:
        shown = min(at for text, at in painted if int(text) >= number)
        delays.append(shown - ahead - stamp / 1e6)
    return delays


def clock_error(page: Page) -> tuple[float, float]:
    """Bounds of the browser's clock minus ours, in ms, the tightest of many samples."""
    bounds = []
    for _sample in range(CLOCK_SAMPLES):
        before = time.time_ns() / 1e6
        there = float(page.evaluate("performance.timeOrigin + performance.now()"))
        bounds.append((there - time.time_ns() / 1e6, there - before))
    return max(low for low, _high in bounds), min(high for _low, high in bounds)


def report(
    delays: dict[str, list[list[float]]], error: tuple[float, float], events: int, rounds: int
) -> Report:
    medians = {name: [median(each) for each in delays[name]] for name in SIDES}
    slower = ratios(medians[OURS.name], medians[BARE.name])
    rows = [
        [
            name,
            spread(medians[name], 1),
            spread([percentile(each, 0.99) for each in delays[name]], 1),
            spread(ratios(medians[name], medians[BARE.name])),
        ]
        for name in SIDES
    ]
    low, high = error
    return Report(
        title="From commit to paint",
        how="Chromium, desk size, two windows. Ours: from the writer's commit through broadcast, "
        "Redis, hub and socket until the frame of the studio page was painted in which the card "
        f"has that percent, {rounds + 1} running cards. Bare: the same machine without database "
        "and Redis, a page of twenty lines that shows every number it receives. "
        f"{events} events at {PER_SECOND:g} a second, {rounds} rounds after a warm-up, sides in "
        "turn. Median (lowest to highest) of the rounds.",
        tables=[Table(columns=("side", "p50, ms", "p99, ms", "p50, × bare"), rows=rows)],
        goals=[ratio_goal(f"painted within {GOAL_RATIO} × a bare page", slower, most=GOAL_RATIO)],
        notes=[
            "A frame every 17 ms: half of that is waiting for the next one, on both sides.",
            f"The browser's clock minus the writer's lay between {low:.2f} and {high:.2f} ms.",
        ],
    )

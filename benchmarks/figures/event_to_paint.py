"""How soon what a worker committed is painted in a browser, through the whole chain."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from statistics import median

from playwright.sync_api import Page, expect

from benchmarks.figures.fan_out import Published, broadcast
from benchmarks.lib.browser import chromium, window
from benchmarks.lib.report import Goal, Report, Table, percentile, ratios, spread
from benchmarks.lib.testbed import OURS, Served, Side, Stand

BARE = Side("bare page", "benchmarks.servers.bare_page:application")
SIDES = (OURS.name, BARE.name)
PER_SECOND = 17.3
"""No divisor of 60: events must not always meet the same moment of a frame."""

GOAL_RATIO = 1.5
PATIENCE_MS = 10_000
LOOKS_AT_CLOCK = 50

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
"""A frame posts a message to itself, which is handled when that frame was painted: whatever had
changed by then counts as painted in it."""

Play = Callable[[int], list[float]]
"""So many events; ms from each commit until the frame that shows it was painted."""


def measure(quick: bool) -> Report:
    rounds, events = (1, 10) if quick else (7, 40)
    delays: dict[str, list[list[float]]] = defaultdict(list)
    with Stand() as stand, chromium() as browser:
        stand.studio.manage("collectstatic", "--no-input", "-v", "0")
        (person,) = stand.writer.people(1)
        tasks = [stand.writer.task(person) for _round in range(rounds + 1)]
        with (
            stand.serving(OURS) as ours,
            stand.serving(BARE) as bare,
            window(browser, ours, person) as ours_window,
            window(browser, bare, person) as bare_window,
        ):
            studio, floor = ours_window.new_page(), bare_window.new_page()
            error = clock_error(studio)
            plays = {
                OURS.name: studio_plays(stand, studio, tasks),
                BARE.name: bare_plays(bare, floor),
            }
            for name in SIDES:
                plays[name](events)
            for number in range(rounds):
                for name in SIDES if number % 2 == 0 else SIDES[::-1]:
                    delays[name].append(plays[name](events))
    return report(delays, error, events, rounds)


def studio_plays(stand: Stand, page: Page, tasks: list[str]) -> Play:
    """The percent on a card of its own each time; committed by the writer, as a worker does."""
    page.goto("/")
    expect(page.locator("article.card[data-status=running]")).to_have_count(len(tasks))
    left = list(tasks)

    def play(events: int) -> list[float]:
        task = left.pop()

        def climb() -> Published:
            told = stand.writer.ask("climb", task=task, count=events, per_second=PER_SECOND)
            return [(percent, stamp) for percent, stamp in told["published"]]

        return watch(page, f"#task-{task} [data-part=percent]", climb)

    return play


def bare_plays(served: Served, page: Page) -> Play:
    """The number on a page of twenty lines; nothing is stored."""
    page.goto("/")
    expect(page.locator("body[data-ready]")).to_be_attached()
    publish = broadcast(served.url)
    return lambda events: watch(page, "#number", lambda: publish(events, PER_SECOND))


def watch(page: Page, selector: str, publish: Callable[[], Published]) -> list[float]:
    """Milliseconds of each that was painted; a later one in the same frame counts for both."""
    page.bring_to_front()
    page.evaluate(WATCH, selector)
    published = publish()
    last = str(published[-1][0])
    page.wait_for_function(
        "(last) => window.painted.some(([text]) => text === last)", arg=last, timeout=PATIENCE_MS
    )
    painted: list[tuple[str, float]] = page.evaluate("stopWatching(), window.painted")
    # the writer's stamps are of the monotonic clock, the page's of the wall's
    ahead = (time.time_ns() - time.monotonic_ns()) / 1e6
    delays = []
    for number, stamp in published:
        shown = min(at for text, at in painted if int(text) >= number)
        delays.append(shown - ahead - stamp / 1e6)
    return delays


def clock_error(page: Page) -> tuple[float, float]:
    """The browser's clock minus ours lies between these two, in ms: the tightest of many looks."""
    bounds = []
    for _look in range(LOOKS_AT_CLOCK):
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
        how="Chromium, desk size, two windows. Ours: from the writer's commit through doorbell, "
        "Redis, hub and socket until the frame of the studio page was painted in which the card "
        f"has that percent, {rounds + 1} running cards. Bare: the same machine without database "
        "and Redis, a page of twenty lines that writes every number it is told. "
        f"{events} events at {PER_SECOND:g} a second, {rounds} rounds after a warm-up, sides in "
        "turn. Median (lowest to highest) of the rounds.",
        tables=[Table(columns=("side", "p50, ms", "p99, ms", "p50, × bare"), rows=rows)],
        goals=[
            Goal(
                wanted=f"painted within {GOAL_RATIO} × a bare page",
                measured=f"{spread(slower)} ×",
                met=median(slower) <= GOAL_RATIO,
            )
        ],
        notes=[
            "A frame every 17 ms: half of that is waiting for the next one, on both sides.",
            f"The browser's clock minus the writer's lay between {low:.2f} and {high:.2f} ms.",
        ],
    )

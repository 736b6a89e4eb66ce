"""Times of the staff's pages with a million tasks, relative to a thousand, on PostgreSQL."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import quote

from benchmarks.lib.databases import Database, postgres_databases
from benchmarks.lib.report import Goal, Report, Table, ratios, spread
from tests.programs import Web
from tests.studio import wait_until

GOAL_RATIO = 2.0
SMALL = 1_000
LARGE = 1_000_000
LIST = "/admin/generation/generationtask/"
ROW = 'name="_selected_action"'
EXPORTED = 500


@dataclass(frozen=True, slots=True)
class StaffPage:
    """A page; `part` occurs in it `rows` times, or any number of times if that is None."""

    name: str
    url: str
    part: str = ROW
    rows: int | None = 100
    method: str = "GET"


PAGES = [
    StaffPage("task list", LIST),
    StaffPage("filter: failed", f"{LIST}?status__exact=failed"),
    StaffPage("filter: queued, none", f"{LIST}?status__exact=queued", rows=0),
    StaffPage("filter: review, flagged", f"{LIST}?review=flagged"),
    StaffPage("filter: model", f"{LIST}?model={{model}}"),
    StaffPage("filter: failed in a step", f"{LIST}?status__exact=failed&step__exact=completed"),
    StaffPage("filter: error code", f"{LIST}?error_code=model_error"),
    StaffPage("filter: error code, none", f"{LIST}?error_code=stalled", rows=0),
    StaffPage("filter: owner", f"{LIST}?owner=owner"),
    StaffPage("filter: several attempts", f"{LIST}?attempts=several"),
    StaffPage("filter: slow to begin", f"{LIST}?slow=wait"),
    StaffPage("filter: slow to draw, none", f"{LIST}?slow=run", rows=0),
    StaffPage("filter: up to a day", f"{LIST}?until={{day}}"),
    StaffPage("filter: in the trash, none", f"{LIST}?deleted_at__isempty=0", rows=0),
    StaffPage("sorted by time of drawing", f"{LIST}?o=-7"),
    StaffPage("search: 20 tasks", f"{LIST}?q=heron", rows=20),
    StaffPage("search: 20 tasks, two Chinese characters", f"{LIST}?q={quote('芦苇')}", rows=20),
    StaffPage("search: 20 tasks, one Chinese character", f"{LIST}?q={quote('苇')}", rows=20),
    StaffPage("search: every second task", f"{LIST}?q=pine"),
    StaffPage("search: every second task, two characters", f"{LIST}?q={quote('园林')}"),
    StaffPage("search: none", f"{LIST}?q=ostrich", rows=0),
    StaffPage("search: none, two Chinese characters", f"{LIST}?q={quote('鸵鸟')}", rows=0),
    StaffPage("search and filter", f"{LIST}?q=heron&status__exact=failed", rows=None),
    StaffPage("task page", f"{LIST}{{task}}/change/", 'class="field-seq"', 15),
    StaffPage(
        f"export of {EXPORTED} tasks, CSV",
        f"{LIST}export/csv/?limit={EXPORTED}",
        "completed",
        rows=None,
        method="POST",
    ),
    StaffPage("review desk", "/admin/review/", 'class="strip__item"', rows=None),
    StaffPage("review desk, flagged", "/admin/review/?state=flagged", "strip__item", rows=None),
    StaffPage("review desk, one picture", "/admin/review/{image}/", 'data-part="stage"', 1),
    StaffPage("operations page", "/admin/operations/", 'id="operations-live"', 1),
    StaffPage("metrics", "/metrics", "# TYPE", rows=None),
]
"""A new page is one line."""


def measure(quick: bool) -> Report:
    large, rounds = (2 * SMALL, 1) if quick else (LARGE, 5)
    with postgres_databases("small", "large") as (few, many):
        began = time.monotonic()
        facts = few.run("fill_staff_pages", tasks=SMALL), many.run("fill_staff_pages", tasks=large)
        filled = time.monotonic() - began
        took = compare((few, facts[0]), (many, facts[1]), rounds=rounds)
    slower = {name: median(ratios(late, early)) for name, (early, late) in took.items()}
    late = [f"{name} {ratio:.1f} ×" for name, ratio in slower.items() if ratio > GOAL_RATIO]
    rows = [
        [name, spread(small, 0), spread(big, 0), spread(ratios(big, small))]
        for name, (small, big) in took.items()
    ]
    columns = ("page", f"{SMALL:,} tasks, ms", f"{large:,} tasks, ms", "ratio")
    return Report(
        title="Pages of staff",
        how=f"PostgreSQL with {large:,} tasks, {15 * large:,} events and {large:,} pictures beside "
        f"{SMALL:,} tasks; filled in {filled / 60:.1f} minutes. Whole pages out of Daphne; "
        f"{rounds} rounds of one request each, sizes in turn, after one warm-up round: median "
        "(lowest to highest).",
        tables=[Table(columns=columns, rows=rows)],
        goals=[
            Goal(
                wanted=f"every page within {GOAL_RATIO:.0f} × of the same one over {SMALL:,} tasks",
                measured=", ".join(late) or f"{max(slower.values()):.1f} × at most",
                met=not late,
            )
        ],
        notes=[
            "A filter without an index reads the newest 10,000 tasks, where the small table has "
            "1,000. Rare words are found among all tasks by the index of words."
        ],
    )


Site = tuple[Database, dict[str, str]]
"""With the values that `fill_staff_pages` returned."""


def compare(small: Site, large: Site, *, rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    """Milliseconds by page and round, with few and with many tasks."""
    with StaffClient.of(*small) as few, StaffClient.of(*large) as many:
        took: dict[str, tuple[list[float], list[float]]] = {page.name: ([], []) for page in PAGES}
        for number in range(rounds + 1):
            for page in PAGES:
                pair = few.fetch(page), many.fetch(page)
                for side, milliseconds in zip(took[page.name], pair, strict=True):
                    side.extend([milliseconds] if number else [])
    return took


class StaffClient:
    """A served site, and the cookies of a member of its staff."""

    def __init__(self, web: Web, facts: dict[str, str]) -> None:
        self.web = web
        self.facts = facts

    @classmethod
    @contextmanager
    def of(cls, database: Database, facts: dict[str, str]) -> Iterator[StaffClient]:
        database.manage("collectstatic", "--no-input")
        # an embedded worker would report that the model is unreachable
        env = {**database.env, "EMBEDDED_WORKER": "0"}
        web = Web("web", Path(database.env["DATA_DIR"]), env)
        web.launch()
        try:
            wait_until(web.is_ready, what=f"{database.name} is served")
            yield cls(web, facts)
        finally:
            web.kill()

    def fetch(self, page: StaffPage) -> float:
        """Milliseconds until the whole page has arrived."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=120)
        headers = {"Cookie": self.facts["cookies"], "X-CSRFToken": self.facts["csrf"]}
        began = time.perf_counter()
        connection.request(page.method, page.url.format(**self.facts), headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        took = (time.perf_counter() - began) * 1e3
        connection.close()
        rows = body.count(page.part)
        assert answer.status == 200, f"{page.name}: {answer.status}"
        assert rows == page.rows or (page.rows is None and rows), f"{page.name}: {rows}"
        return took

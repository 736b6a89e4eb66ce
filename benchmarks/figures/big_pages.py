"""Figure 11: page times with a million tasks, relative to a thousand."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.lib.databases import Database, both_databases
from benchmarks.lib.report import Goal, Report, Table, ratios, spread
from tests.programs import Web
from tests.studio import wait_until

GOAL_RATIO = 2.0
SMALL = 1_000
LARGE = 1_000_000
ADMIN = "/admin/generation/generationtask/"
SCRAPE = "metrics, without the HTTP"


@dataclass(frozen=True, slots=True)
class PageCase:
    """A page; `part` occurs in it once per row."""

    name: str
    signed_in: str
    url: str
    part: str
    rows: int


IN_ADMIN = "staff", 'name="_selected_action"'
IN_STUDIO = "person", 'data-task-id="'
IN_GALLERY = "person", "data-picture-key="
PAGES = [
    PageCase(name, signed_in, url, part, rows)
    for name, (signed_in, part), url, rows in (
        ("admin list", IN_ADMIN, ADMIN, 100),
        ("admin list, older", IN_ADMIN, f"{ADMIN}?until={{moment}}", 100),
        ("admin list, by time of drawing", IN_ADMIN, f"{ADMIN}?o=-7", 100),
        ("admin list, filter: failed", IN_ADMIN, f"{ADMIN}?status__exact=failed", 100),
        ("admin list, filter: queued, none", IN_ADMIN, f"{ADMIN}?status__exact=queued", 0),
        ("admin list, filter: in the trash, none", IN_ADMIN, f"{ADMIN}?deleted_at__isempty=0", 0),
        ("admin list, search: every second task", IN_ADMIN, f"{ADMIN}?q=pine", 100),
        ("admin list, search: 20 tasks", IN_ADMIN, f"{ADMIN}?q=heron", 20),
        ("admin list, search: none", IN_ADMIN, f"{ADMIN}?q=ostrich", 0),
        ("admin list, search: a person", IN_ADMIN, f"{ADMIN}?q=person", 100),
        ("admin list, search: a person, none", IN_ADMIN, f"{ADMIN}?q=person+ostrich", 0),
        ("admin list, search: an id", IN_ADMIN, f"{ADMIN}?q={{task}}", 1),
        ("admin list, filter and search", IN_ADMIN, f"{ADMIN}?status__exact=failed&q=pine", 100),
        ("admin, a task", ("staff", 'class="field-seq"'), f"{ADMIN}{{task}}/change/", 9),
        ("admin, workers", ("staff", 'class="field-host"'), "/admin/generation/worker/", 30),
        ("admin, operations", ("staff", 'class="figure"'), "/admin/operations/?range=30d", 6),
        # the server renders six cards and the template for new ones
        ("studio", IN_STUDIO, "/", 7),
        ("a task", IN_STUDIO, "/tasks/{task}/", 2),
        ("gallery", IN_GALLERY, "/gallery/", 60),
        ("gallery, older", IN_GALLERY, "/gallery/?before={older}", 60),
        ("gallery, search: every task", IN_GALLERY, "/gallery/?q=plum", 60),
        ("gallery, search: 20 tasks", IN_GALLERY, "/gallery/?q=heron", 20),
        ("gallery, search: none", IN_GALLERY, "/gallery/?q=ostrich", 0),
        ("gallery, filter: failed, none", IN_GALLERY, "/gallery/?status=failed", 0),
        ("gallery, favourites: 20", IN_GALLERY, "/gallery/?favourite=1", 20),
    )
]


def measure(quick: bool) -> Report:
    large, rounds = (2 * SMALL, 1) if quick else (LARGE, 5)
    with both_databases("small", "large") as databases:
        named = {database.name: database for database in databases}
        sizes = {name: large if name.endswith("large") else SMALL for name in named}
        # one core fills PostgreSQL, the other SQLite
        with ThreadPoolExecutor(max_workers=2) as pool:
            filled = [
                pool.submit(database.run, "fill_big_pages", tasks=sizes[name])
                for name, database in named.items()
            ]
            facts = {name: future.result() for name, future in zip(named, filled, strict=True)}
        measured = {
            kind: compare(
                *(
                    (named[f"{kind} {size}"], facts[f"{kind} {size}"])
                    for size in ("small", "large")
                ),
                rounds=rounds,
            )
            for kind in ("PostgreSQL", "SQLite")
        }
        # a web would answer most requests from what it has just read
        for kind, took in measured.items():
            few, many = (
                named[f"{kind} {size}"].run("measure_scrape", rounds=rounds)
                for size in ("small", "large")
            )
            took[SCRAPE] = few, many
    return Report(
        title="Big pages",
        how=f"{large:,} tasks beside {SMALL:,}; a tenth are one person's and have a picture, of "
        f"the rest one in 7 failed. Whole pages out of Daphne, as HTML; {rounds} rounds of "
        "one request each, sizes in turn, after one warm-up round: median (lowest to "
        "highest). No task is queued; the queue has a figure of its own.",
        tables=[table(kind, took, large) for kind, took in measured.items()],
        goals=[goal(kind, took) for kind, took in measured.items()],
        notes=[
            "One request of the admin list searches {in_list} tasks, or {in_gallery} of one "
            "person; the gallery does the same with words or a filter. Both show how far back "
            "they searched and continue on the next page. Indexed searches cover all tasks: "
            "ids, unfinished tasks, the trash, favourites.".format(**facts["SQLite large"]),
            "SQLite scans the person's tasks and checks each for favourites: some 18 ms for "
            "100,000 tasks. PostgreSQL starts at the favourites."
            "",
        ],
    )


Site = tuple[Database, dict[str, str]]
"""With the values that `fill_big_pages` returned."""


def compare(small: Site, large: Site, *, rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    """Milliseconds by page and round, with few and with many tasks."""
    with SiteClient.of(*small) as few, SiteClient.of(*large) as many:
        took: dict[str, tuple[list[float], list[float]]] = {page.name: ([], []) for page in PAGES}
        for number in range(rounds + 1):
            for page in PAGES:
                pair = few.fetch(page), many.fetch(page)
                for side, milliseconds in zip(took[page.name], pair, strict=True):
                    side.extend([milliseconds] if number else [])
    return took


class SiteClient:
    """A served site, and the session cookies of its two users."""

    def __init__(self, web: Web, facts: dict[str, str]) -> None:
        self.web = web
        self.facts = facts

    @classmethod
    @contextmanager
    def of(cls, database: Database, facts: dict[str, str]) -> Iterator[SiteClient]:
        database.manage("collectstatic", "--no-input")
        folder = Path(database.env["DATA_DIR"])
        # an embedded worker would report that the model is unreachable
        web = Web(
            "web",
            folder,
            {**database.env, "EMBEDDED_WORKER": "0", "CONNECTIONS_PER_PERSON": "1000000"},
        )
        web.launch()
        try:
            wait_until(web.is_ready, what=f"{database.name} is served")
            yield cls(web, facts)
        finally:
            web.kill()

    def fetch(self, page: PageCase) -> float:
        """Milliseconds until the whole page has arrived."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=120)
        cookie = {"Cookie": self.facts[page.signed_in]}
        began = time.perf_counter()
        connection.request("GET", page.url.format(**self.facts), headers=cookie)
        answer = connection.getresponse()
        body = answer.read().decode()
        took = (time.perf_counter() - began) * 1e3
        connection.close()
        rows = body.count(page.part)
        assert (answer.status, rows) == (200, page.rows), f"{page.name}: {answer.status}, {rows}"
        return took


def table(kind: str, took: dict[str, tuple[list[float], list[float]]], large: int) -> Table:
    rows = [
        [name, spread(few, 0), spread(many, 0), spread(ratios(many, few))]
        for name, (few, many) in took.items()
    ]
    columns = (f"{kind}, page", f"{SMALL:,} tasks, ms", f"{large:,} tasks, ms", "ratio")
    return Table(columns=columns, rows=rows)


def goal(kind: str, took: dict[str, tuple[list[float], list[float]]]) -> Goal:
    slower = {name: median(ratios(many, few)) for name, (few, many) in took.items()}
    late = [f"{name} {ratio:.1f} ×" for name, ratio in slower.items() if ratio > GOAL_RATIO]
    return Goal(
        wanted=f"{kind}: every page within {GOAL_RATIO:.0f} × of the same one over {SMALL:,} tasks",
        measured=", ".join(late) or f"{max(slower.values()):.1f} × at most",
        met=not late,
    )

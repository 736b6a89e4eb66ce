"""Figure 11: pages over a million tasks, beside the same pages over a thousand."""

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
from tests.production import Web
from tests.studio import wait_until

GOAL_RATIO = 2.0
SMALL = 1_000
LARGE = 1_000_000
ADMIN = "/admin/generation/generationtask/"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page; `part` occurs in it once for each of its `rows`."""

    name: str
    signed_in: str
    url: str
    part: str
    rows: int


IN_ADMIN = "staff", 'name="_selected_action"'
IN_STUDIO = "person", 'data-task-id="'
IN_GALLERY = "person", "data-picture-key="
PAGES = [
    Wanted(name, signed_in, url, part, rows)
    for name, (signed_in, part), url, rows in (
        ("admin list", IN_ADMIN, ADMIN, 100),
        ("admin list, older", IN_ADMIN, f"{ADMIN}?until={{moment}}", 100),
        ("admin list, by time of drawing", IN_ADMIN, f"{ADMIN}?o=-8", 100),
        ("admin list, filter: failed", IN_ADMIN, f"{ADMIN}?status__exact=failed", 100),
        ("admin list, filter: in line, nobody", IN_ADMIN, f"{ADMIN}?status__exact=queued", 0),
        ("admin list, filter: in the bin, none", IN_ADMIN, f"{ADMIN}?deleted_at__isempty=0", 0),
        ("admin list, search: every second task", IN_ADMIN, f"{ADMIN}?q=pine", 100),
        ("admin list, search: 20 tasks", IN_ADMIN, f"{ADMIN}?q=heron", 20),
        ("admin list, search: none", IN_ADMIN, f"{ADMIN}?q=ostrich", 0),
        ("admin list, search: a person", IN_ADMIN, f"{ADMIN}?q=person", 100),
        ("admin list, search: a person, none", IN_ADMIN, f"{ADMIN}?q=person+ostrich", 0),
        ("admin list, search: an id", IN_ADMIN, f"{ADMIN}?q={{task}}", 1),
        ("admin list, filter and search", IN_ADMIN, f"{ADMIN}?status__exact=failed&q=pine", 100),
        ("admin, a task", ("staff", 'class="field-seq"'), f"{ADMIN}{{task}}/change/", 9),
        ("admin, workers", ("staff", 'class="field-host"'), "/admin/generation/worker/", 30),
        # one of them is the template for new ones
        ("studio", IN_STUDIO, "/", 31),
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
        # one core fills PostgreSQL, the other one SQLite
        with ThreadPoolExecutor(max_workers=2) as pool:
            filled = [
                pool.submit(database.run, "fill_big_pages", tasks=sizes[name])
                for name, database in named.items()
            ]
            told = {name: future.result() for name, future in zip(named, filled, strict=True)}
        measured = {
            kind: compare(
                *((named[f"{kind} {size}"], told[f"{kind} {size}"]) for size in ("small", "large")),
                rounds=rounds,
            )
            for kind in ("PostgreSQL", "SQLite")
        }
    return Report(
        title="Big pages",
        how=f"{large:,} tasks beside {SMALL:,}; a tenth are one person's and have a picture, of "
        f"the rest one in 7 failed. Whole pages out of Daphne, as HTML; {rounds} rounds of "
        "one request each, sizes in turn, after one that does not count: median (lowest to "
        "highest). Nothing waits; the line has a figure of its own.",
        tables=[table(kind, took, large) for kind, took in measured.items()],
        goals=[goal(kind, took) for kind, took in measured.items()],
        notes=[
            "For one answer the admin's list looks through {in_list} tasks, and {in_gallery} if "
            "they are one person's, as the gallery does with words or a filter. Both say how far "
            "back that was; older ones are the next answers. What an index finds is found in "
            "all: ids, unfinished tasks, the bin, favourites.".format(**told["SQLite large"]),
            "SQLite goes along the person's tasks and asks of each whether it is among the "
            "favourites: some 18 ms for 100,000 of them, of which few are. PostgreSQL begins at "
            "the favourites.",
        ],
    )


Site = tuple[Database, dict[str, str]]
"""With what was told when it was filled."""


def compare(small: Site, large: Site, *, rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    """By page: milliseconds of the rounds over few and over many tasks."""
    with Visit.to(*small) as few, Visit.to(*large) as many:
        took: dict[str, tuple[list[float], list[float]]] = {page.name: ([], []) for page in PAGES}
        for number in range(rounds + 1):
            for page in PAGES:
                pair = few.see(page), many.see(page)
                for side, milliseconds in zip(took[page.name], pair, strict=True):
                    side.extend([milliseconds] if number else [])
    return took


class Visit:
    """A site with so many tasks, and the sessions of two who look at it."""

    def __init__(self, web: Web, told: dict[str, str]) -> None:
        self.web = web
        self.told = told

    @classmethod
    @contextmanager
    def to(cls, database: Database, told: dict[str, str]) -> Iterator[Visit]:
        database.manage("collectstatic", "--no-input")
        folder = Path(database.env["DATA_DIR"])
        # an embedded worker would look for the model, and say that it is away
        web = Web(
            "web",
            folder,
            {**database.env, "EMBEDDED_WORKER": "0", "CONNECTIONS_PER_PERSON": "1000000"},
        )
        web.launch()
        try:
            wait_until(web.is_ready, what=f"{database.name} is served")
            yield cls(web, told)
        finally:
            web.kill()

    def see(self, page: Wanted) -> float:
        """Milliseconds until the whole page is here."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web.port, timeout=120)
        cookie = {"Cookie": self.told[page.signed_in]}
        began = time.perf_counter()
        connection.request("GET", page.url.format(**self.told), headers=cookie)
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

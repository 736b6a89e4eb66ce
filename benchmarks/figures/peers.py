"""The studio beside what one would build instead: Gradio's queue, and Django with Celery."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import fifty_at_once, overhead
from benchmarks.lib.peer_pages import Outcome, Page, outcome, pages
from benchmarks.lib.peer_systems import (
    CELERY,
    GRADIO,
    GRADIO_CLIENT,
    PYTHON,
    celery,
    gradio,
    gradio_client,
    package_version,
)
from benchmarks.lib.process_stats import memory
from benchmarks.lib.report import Excerpt, Report, Table, spread
from benchmarks.lib.systems import (
    ALONE,
    APART,
    DIRECT,
    FixedModel,
    System,
    one_process,
    separate_worker,
)

COMPARED = (ALONE, APART, GRADIO, CELERY)
WATCHING = 3
"""Pages of each side that are reloaded, or wait while the drawing process is killed."""

INTO_THE_CALL = 0.4
"""Seconds after the submission; a call takes one second."""

Outcomes = dict[str, list[Outcome]]
"""By side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of each side: seconds of one person, MiB, rounds of all at once; outcomes by fault."""

    alone: overhead.Times
    resident: dict[str, float]
    together: fifty_at_once.Rounds
    outcomes: dict[str, Outcomes]


def measure(quick: bool) -> Report:
    people, rounds, patience = (5, 1, 5.0) if quick else (50, 5, 60.0)
    if not PYTHON.exists():
        return Report(
            title="Beside other systems",
            how="The packages of the other systems are missing: `make install-peers`.",
            tables=[],
            goals=[],
        )
    with sides(people) as (direct, *compared):
        with gradio_client(compared[COMPARED.index(GRADIO)]) as client:
            alone, _parts = asyncio.run(overhead.run_rounds([direct, *compared, client], rounds))
        resident = {system.name: rss(system) for system in compared}
        together = asyncio.run(fifty_at_once.run_rounds([direct, *compared], people, rounds))
        outcomes = {
            what: asyncio.run(on_every_side(compared, fault, patience))
            for what, fault in FAULTS.items()
        }
    figures = Figures(alone=alone, resident=resident, together=together, outcomes=outcomes)
    return report(figures, rounds=rounds, people=people, patience=patience)


@contextmanager
def sides(people: int) -> Iterator[list[System]]:
    """The model alone, and the systems of `COMPARED`."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="liujuan-benchmark-")))
        model = FixedModel("fixed-model", folder)
        ends.callback(model.kill)
        model.start()
        yield [
            System(name=DIRECT, port=model.port),
            ends.enter_context(one_process(folder / "alone", model, people)),
            ends.enter_context(separate_worker(folder / "apart", model, people)),
            ends.enter_context(gradio(folder, model)),
            ends.enter_context(celery(folder / "celery", model, people)),
        ]


def rss(system: System) -> float:
    """MiB of its processes; PostgreSQL and Redis are not counted."""
    return sum(memory(pid).rss for pid in system.pids) / 1024


async def on_every_side(compared: list[System], fault: Fault, patience: float) -> Outcomes:
    """All sides at once, because outcomes and not times are compared."""
    outcomes = await asyncio.gather(*(after(fault, system, patience) for system in compared))
    return {system.name: found for system, found in zip(compared, outcomes, strict=True)}


async def after(fault: Fault, system: System, patience: float) -> list[Outcome]:
    """What each page shows in the end if the fault comes while the model draws for all of them."""
    watching = pages(system, WATCHING)
    await asyncio.gather(*(page.submit() for page in watching))
    await asyncio.sleep(INTO_THE_CALL)
    began = time.perf_counter()
    await fault(system, watching)
    return await asyncio.gather(*(outcome(page, began, patience) for page in watching))


async def reload_pages(system: System, watching: list[Page]) -> None:
    await asyncio.gather(*(page.reload() for page in watching))


async def kill_drawer(system: System, watching: list[Page]) -> None:
    """Kill by SIGKILL, and start it again."""
    assert system.drawer is not None
    await asyncio.to_thread(system.drawer.kill)
    await asyncio.to_thread(system.drawer.start)


Fault = Callable[[System, list[Page]], Awaitable[None]]
FAULTS: dict[str, Fault] = {
    "page reloaded during the call": reload_pages,
    "drawing process killed during the call": kill_drawer,
}


def report(figures: Figures, *, rounds: int, people: int, patience: float) -> Report:
    versions = ", ".join(f"{name} {package_version(name)}" for name in ("gradio", "celery"))
    by_client = spread(overhead.compared(figures.alone, GRADIO_CLIENT), 1)
    table = comparison(figures, people)
    return Report(
        title="Beside other systems",
        how=f"{versions}. All call the same model server, which takes exactly 1 s for each of any "
        f"number and answers with a JPEG of 512 × 512; {rounds} rounds after a warm-up, all in "
        "turn. Median (lowest to highest). Time is from the submission until the page knows its "
        "picture. CPU and memory are of web and drawing process, without PostgreSQL and Redis; "
        "memory after the first pictures of one person. Gradio: an asynchronous function and the "
        "queue, called as its page does. Celery: one worker with a thread for each call, a row for "
        "each picture, `group_send` for each stage. Neither signs users in, asks the model for its "
        f"progress, checks the picture or makes a thumbnail; ours does. Faults: {WATCHING} pages, "
        f"{INTO_THE_CALL} s after the submission; a killed process is started again at once, "
        f"and its pages connect again as long as they have no picture, at most {patience:.0f} s "
        "after that start. Seconds count from the fault.",
        tables=[table],
        goals=[],
        notes=[
            f"Gradio's Python client adds {by_client} ms for one person.",
            "Celery acknowledges a task before it runs, by default. With `acks_late` and "
            "`reject_on_worker_lost` Redis delivers the task of a killed worker again, after an "
            "hour by default (`visibility_timeout`).",
        ],
        excerpts=[
            # the page is beside docs/, where the other excerpts are
            Excerpt(page="../README.md", mark="peers", text=f"{versions}.\n\n{table.markdown()}"),
        ],
    )


def comparison(figures: Figures, people: int) -> Table:
    slower = {name: fifty_at_once.ratios(figures.together, name, "p50") for name in COMPARED}
    rates = {name: fifty_at_once.ratios(figures.together, name, "per_second") for name in COMPARED}
    cells: dict[str, Callable[[str], str]] = {
        "one person: ms more than the model alone": lambda name: spread(
            overhead.compared(figures.alone, name), 1
        ),
        f"{people} at once: median wait, × the model alone": lambda name: spread(slower[name]),
        f"{people} at once: pictures per second, × the model alone": lambda name: spread(
            rates[name]
        ),
        "CPU for one picture, ms": lambda name: spread(
            [each.cpu_ms for each in figures.together[name]], 1
        ),
        "memory at rest, MiB": lambda name: f"{figures.resident[name]:.0f}",
        **{
            what: lambda name, what=what: in_words(figures.outcomes[what][name])  # type: ignore[misc]
            for what in FAULTS
        },
    }
    rows = [[what, *(cell(name) for name in COMPARED)] for what, cell in cells.items()]
    return Table(columns=("figure", *COMPARED), rows=rows)


def in_words(outcomes: list[Outcome]) -> str:
    """How many pictures were shown and when, and what the pages show in the end."""
    came = [each.seconds for each in outcomes if each.seconds is not None]
    shown = " or ".join(sorted({each.shown for each in outcomes}))
    if not came:
        return f"no picture ({shown})"
    number = "picture" if len(came) == len(outcomes) else f"{len(came)} of {len(outcomes)} pictures"
    return f"{number} after {spread(came, 1)} s ({shown})"

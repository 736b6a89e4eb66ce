"""Memory that a worker keeps after unusable responses of the model server."""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection

from benchmarks.lib.process_stats import memory
from benchmarks.lib.report import ROOT, Goal, Report, Table
from generation.choices import Route
from generation.exceptions import StudioError
from generation.xinference import XinferenceClient
from tests.contract.demo_process import MODEL
from tests.contract.draw_requests import small
from tests.contract.odd_server import PLACES, OddServer, response, serving

ALLOWED = 30
THRESHOLDS = (50_000, 50, 50)
"""Garbage collection thresholds of a web process."""

KINDS = {
    "20 MB that are no picture": response(b'{"images": ["' + b"!" * 20_000_000),
    "6 MB of lists": response(b"[" + b"[]," * 2_000_000 + b"0]"),
    "60 kB of lists": response(b"[" + b"[]," * 20_000 + b"0]"),
    "6 MB of lists with 500": response(b"[" + b"[]," * 2_000_000 + b"0]", "500 No"),
    "100,000 levels": response(b"[" * 60_000),
    "packed twice": response(b"\x1f\x8b" * 1_000, "200 OK", "Content-Encoding: gzip, gzip"),
    "not JSON": response(b"<html>" * 5_000),
    "wrong types": response({"progress": "1", "msg": 1, "images": [1], "data": [[]] * 5_000}),
}


def measure(quick: bool) -> Report:
    rounds = 8 if quick else 200
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.figures.bad_answers", str(rounds)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
    )
    kept: dict[str, float] = json.loads(done.stdout)
    worst = max(kept.values())
    return Report(
        title="Bad answers",
        how=f"{rounds} answers of each kind, in turn to every call of the client, in one process "
        "with the garbage collection thresholds of a web process. Nothing is collected explicitly.",
        tables=[
            Table(
                columns=("kind", "kept, MiB"),
                rows=[[kind, f"{size:.1f}"] for kind, size in kept.items()],
            )
        ],
        goals=[
            Goal(
                wanted=f"memory after {rounds} bad answers within {ALLOWED} MiB of before",
                measured=f"{worst:.1f} MiB at most",
                met=worst <= ALLOWED,
            )
        ],
    )


async def measure_kinds(urls: dict[str, str], rounds: int) -> dict[str, float]:
    """MiB by which this process grew with each kind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    kept = {}
    for kind, url in urls.items():
        client = XinferenceClient(base_url=url)
        before = memory(os.getpid()).rss
        for _ in range(rounds // 4):
            for call in (
                client.draw(model=MODEL, route=Route.TXT2IMG, request=small()),
                client.listed(),
                client.progress("1"),
                client.abort(model=MODEL, request_id="1"),
            ):
                await expect_error(call)
        kept[kind] = (memory(os.getpid()).rss - before) / 1024
        await client.aclose()
    return kept


async def expect_error(call: Awaitable[object]) -> None:
    """Await one call that must fail, in a task as a worker does."""
    task = asyncio.ensure_future(call)
    await asyncio.wait({task})
    try:
        task.result()
    except StudioError:
        return
    raise AssertionError("a bad answer was accepted")


def serve(parent: Connection) -> None:
    """A server for each kind, in a process whose memory is not measured."""

    async def forever() -> None:
        async with AsyncExitStack() as stack:
            urls = {}
            for kind, answer in KINDS.items():
                server = OddServer()
                server.answers = dict.fromkeys((place for place, _ in PLACES), answer)
                urls[kind] = (await stack.enter_async_context(serving(server))).url
            parent.send(urls)
            await asyncio.Event().wait()

    asyncio.run(forever())


def main() -> None:
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    print(json.dumps(asyncio.run(measure_kinds(ours.recv(), int(sys.argv[1])))))
    server.kill()


if __name__ == "__main__":
    main()

"""State of what this process needs: a public word and a sentence for operators per part."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import Error as DatabaseProblem
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from generation import images, selectors, services
from generation.clock import clock
from generation.outages import cause_of
from generation.slow_check import Check

PROBE = ".ready"
PROBE_BYTES = 64 * 1024
"""Size of the test file; an empty file fits even onto a full disk."""

MIN_FREE_BYTES = 16 * 1024 * 1024
"""Free bytes below which the next lossless picture may not fit."""


@dataclass(frozen=True, slots=True)
class Health:
    """`word`: `ok` or what is wrong; `detail` may name models and folders."""

    word: str
    detail: str = ""

    @property
    def ok(self) -> bool:
        return self.word == "ok"


OK, UNKNOWN = Health("ok"), Health("unknown")
Report = dict[str, Health]

REQUIRED_PARTS = ("database", "migrations", "static")
"""Parts without which nothing can be served."""

WRITE_ERRORS = {
    "read_only": "it takes no writes: see its log",
    "locked": "another process keeps its write lock: a shell, a copy, a repair",
}
DISK_PARTS = ("static", "storage")
DATABASE_PARTS = (
    *("database", "migrations", "workers", "key", "models"),
    *("model_server", "model_servers"),
)


def serves(report: Report) -> bool:
    return all(report[name].ok for name in REQUIRED_PARTS)


def database_report() -> Report:
    """All parts that are read from the database."""
    unknown = dict.fromkeys(DATABASE_PARTS, UNKNOWN)
    try:
        trouble = selectors.write_error()
        if trouble:
            return unknown | {"database": Health(trouble, WRITE_ERRORS[trouble])}
        pending = pending_migrations()
        if pending:
            detail = f"run manage.py migrate; {len(pending)} are pending"
            return unknown | {"database": OK, "migrations": Health("pending", detail)}
        return {"database": OK, "migrations": OK} | worker_report()
    except DatabaseProblem as error:
        return unknown | {"database": Health("down", cause_of(error))}
    finally:
        # this thread keeps no connection
        connections.close_all()


def database_timeout() -> Report:
    unknown = dict.fromkeys(DATABASE_PARTS, UNKNOWN)
    return unknown | {"database": Health("down", "it does not answer")}


def pending_migrations() -> frozenset[tuple[str, str]]:
    return known_migrations() - set(MigrationRecorder(connection).applied_migrations())


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """Migrations of this code, cached: reading them takes too long for a probe."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def worker_report() -> Report:
    """Workers, models and key, from the rows: web processes call no model server."""
    now = clock.now()
    if not selectors.live_workers(now):
        return {
            "workers": report_without_workers(now),
            **dict.fromkeys(DATABASE_PARTS[3:], UNKNOWN),
        }
    troubles = selectors.model_errors()
    bad = "; ".join(f"{name}: {why}" for name, why in troubles.items() if why)
    return {
        "workers": OK,
        "key": Health("down", "the model server refused it") if selectors.key_refused() else OK,
        "models": Health("down", bad) if bad else Health("ok", ", ".join(troubles)),
        "model_server": addresses_report(),
        "model_servers": servers_report(now),
    }


def report_without_workers(now: datetime) -> Health:
    if selectors.is_paused(now):
        detail = "paused or drained by an operator, or a restored copy: type manage.py resume"
        return Health("paused", detail)
    return Health("down", "no worker gave a sign of life for 15 s: start one")


def servers_report(now: datetime) -> Health:
    """Every enabled server with its state."""
    states = selectors.server_states(now)
    if not states:
        return Health("down", "no model server is enabled: add or enable one in the admin")
    detail = "; ".join(f"{name}: {state}" for name, state in states.items())
    return Health("ok" if set(states.values()) <= {"ok", "draining"} else "down", detail)


def addresses_report() -> Health:
    """Model server that the workers call; it must be that of our settings."""
    called = selectors.called_model_servers(clock.now())
    ours = services.addresses_text()
    if called and not services.uses_demo_model() and ours not in called:
        detail = f"workers call {', '.join(called)}, and the settings here name {ours}"
        return Health("differs", detail)
    return Health("ok", ", ".join(called))


def disk_report() -> Report:
    return {"static": static_files(), "storage": storage()}


def disk_timeout() -> Report:
    return {
        "static": OK,
        "storage": Health("down", f"{settings.MEDIA_ROOT} does not answer"),
    }


@cache
def static_names() -> frozenset[str]:
    """All static files of this version; a page that names a missing one fails."""
    return frozenset(
        os.path.join(getattr(storage, "prefix", None) or "", path)
        for finder in get_finders()
        for path, storage in finder.list(StaticFilesConfig.ignore_patterns)
    )


def static_files() -> Health:
    """Whether all static files are in the manifest, which is read once per process."""
    if settings.DEBUG:
        return OK
    files: Any = staticfiles_storage
    known, there = static_names() <= set(files.hashed_files), files.exists(files.manifest_name)
    if known and there:
        return OK
    collected = there and static_names() <= set(files.load_manifest()[0])
    then = "restart this process" if collected else "run manage.py collectstatic, then restart"
    return Health("missing", then)


def storage() -> Health:
    """Whether a picture could be written below MEDIA_ROOT."""
    root = Path(settings.MEDIA_ROOT)
    probe = root / PROBE
    try:
        root.mkdir(parents=True, exist_ok=True)
        with probe.open("wb") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        room = os.statvfs(root)
    except OSError as error:
        return Health("down", images.os_error_text(error, root))
    finally:
        remove(probe)
    free = room.f_bavail * room.f_frsize
    if free < MIN_FREE_BYTES:
        return Health("down", f"only {free // 1024} KiB are free below {root}")
    return OK


def remove(probe: Path) -> None:
    try:
        probe.unlink(missing_ok=True)
    except OSError:
        return  # the result is known already


def all_down(names: Iterable[str], error: Exception) -> Report:
    return dict.fromkeys(names, Health("down", cause_of(error)))


database_check = Check(
    database_report, database_timeout, partial(all_down, DATABASE_PARTS), kept=1.0
)
disk_check = Check(disk_report, disk_timeout, partial(all_down, DISK_PARTS), kept=2.0)

"""Is this process alive, and can it serve?"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from generation import selectors
from generation.choices import QueueReason
from generation.hub import hub
from generation.selectors import clock


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """503 only if this process cannot serve; models and workers are told with 200."""
    try:
        executor = MigrationExecutor(connection)
        pending = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        report = {} if pending else report_of(clock.now())
    except DatabaseError:
        return JsonResponse({"database": "down"}, status=503)
    if pending:
        return JsonResponse({"database": "ok", "migrations": "pending"}, status=503)
    return JsonResponse({"database": "ok", "migrations": "ok", **report})


def report_of(now: datetime) -> dict[str, Any]:
    """`ok`, `down` or `unknown` for what stands behind this process, from the rows."""
    rows = selectors.model_rows(now=now)
    workers = bool(selectors.live_workers(now))
    refused = any(row["reason"] == QueueReason.KEY_REFUSED for row in rows)
    return {
        "layer": hub.memberships.hearing,
        "workers": "ok" if workers else "down",
        # without a live worker nobody looks: the rows may be old
        "key": ("down" if refused else "ok") if workers else "unknown",
        "models": {row["name"]: model_word(row, workers=workers) for row in rows},
    }


def model_word(row: selectors.ModelRow, *, workers: bool) -> str:
    if not workers:
        return "unknown"
    return "ok" if row["ready"] else "down"

"""Is this process alive, and can it serve?"""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from generation import selectors


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """503 only if this process cannot serve; models and workers are told with 200."""
    try:
        executor = MigrationExecutor(connection)
        pending = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        models = {} if pending else selectors.model_rows(now=timezone.now())
    except DatabaseError:
        return JsonResponse({"database": "down"}, status=503)
    if pending:
        return JsonResponse({"database": "ok", "migrations": "pending"}, status=503)
    return JsonResponse(
        {
            "database": "ok",
            "migrations": "ok",
            "workers": "ok" if selectors.live_workers(timezone.now()) else "down",
            "models": {row["name"]: "ok" if row["ready"] else row["reason"] for row in models},
        }
    )

"""Health checks: `/healthz` (the process runs), `/readyz` (it can serve), and that of the proxy."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.db import Error as DatabaseProblem
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.views.decorators.csrf import csrf_exempt

from accounts.client_address import client_address
from generation import proxy_probe, readiness
from generation.hub import hub
from generation.readiness import Health, Report
from generation.slow_check import answer_of
from generation.staff_permissions import VIEW_ALL

CHECK_TIMEOUT = 0.7
"""Seconds for all checks together; load balancers give up after one second."""

PUBLIC = ("database", "migrations", "static", "storage", "layer", "workers", "models")


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


async def readyz(request: HttpRequest) -> JsonResponse:
    """JSON with one word per part; staff who can view all tasks also get `details`.

    The status is 503 only if this process cannot serve; problems of storage, models and workers
    are reported with 200.
    """
    database, disk = await asyncio.gather(
        answer_of(readiness.database_check, CHECK_TIMEOUT),
        answer_of(readiness.disk_check, CHECK_TIMEOUT),
    )
    report: Report = database | disk | {"layer": Health(hub.groups.state)}
    body: dict[str, object] = {name: report[name].word for name in PUBLIC}
    if report["database"].ok and await is_staff(request):
        body["details"] = {name: part.detail or part.word for name, part in report.items()}
    response = JsonResponse(body, status=200 if readiness.serves(report) else 503)
    # keeps Django from logging every probe of a process that cannot serve
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


@csrf_exempt
async def proxy_answer(request: HttpRequest) -> HttpResponseBase:
    """For `manage.py doctor`, which asks through the proxy and signs its request.

    GET: two events some seconds apart, the first one with what this process sees of the request.
    POST: the length of the body.
    """
    try:
        signer = TimestampSigner(salt=proxy_probe.SALT)
        signer.unsign(
            request.headers.get(proxy_probe.PROBE_HEADER, ""), max_age=proxy_probe.MAX_AGE
        )
    except BadSignature as error:
        raise Http404 from error
    if request.method == "POST":
        return JsonResponse({"bytes": len(request.body)})
    seen = {
        "secure": request.is_secure(),
        "host": request.get_host(),
        "address": client_address(request),
    }
    return StreamingHttpResponse(
        probe_events(seen),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"},
    )


async def probe_events(seen: dict[str, object]) -> AsyncGenerator[str]:
    yield f"data: {json.dumps(seen)}\n\n"
    # the time between the two is what the probe measures
    await asyncio.sleep(proxy_probe.HOLD)
    yield "data: {}\n\n"


async def is_staff(request: HttpRequest) -> bool:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return False
    try:
        async with asyncio.timeout(CHECK_TIMEOUT):
            user = await request.auser()
            return user.is_active and await user.ahas_perm(VIEW_ALL)
    except (TimeoutError, DatabaseProblem):
        return False

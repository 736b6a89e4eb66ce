"""What a request to the Model Context Protocol must be before its message is read."""

from __future__ import annotations

from importlib import import_module
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.http.request import validate_host

from accounts.client_address import client_address
from accounts.security_log import SecurityEvent, log_event
from generation.api.token_auth import sign_in
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.limits import MAX_MESSAGE_BYTES
from generation.views.json_api import body_of
from generation.views.problem_json import problem

EXCHANGE = "generation.api.mcp_exchange"


async def serve_mcp(request: HttpRequest) -> HttpResponseBase:
    """Answer one message of a signed-in client.

    The protocol is loaded with the first of them, in a thread, because it is large. Raises
    ConnectionRejected, InvalidInput and LimitReached.
    """
    if request.method != "POST":
        return problem(ErrorCode.METHOD_NOT_ALLOWED, 405, headers={"Allow": "POST"})
    if is_of_foreign_page(request):
        return problem(ErrorCode.ORIGIN_REFUSED, 403)
    await sign_in(request)
    if len(body_of(request)) > MAX_MESSAGE_BYTES:
        raise InvalidInput(ErrorCode.TOO_LONG)
    exchange = await sync_to_async(import_module)(EXCHANGE)
    response: HttpResponseBase = await exchange.respond(request)
    return response


def is_of_foreign_page(request: HttpRequest) -> bool:
    """Whether a page of another host sent it (DNS rebinding); such a request is logged."""
    origin = request.headers.get("Origin")
    if origin is None or validate_host(host_of(origin), settings.ALLOWED_HOSTS):
        return False
    address = client_address(request)
    log_event(SecurityEvent.PERMISSION_REFUSED, account=None, address=address, origin=origin)
    return True


def host_of(origin: str) -> str:
    """The host of an origin; empty if it has none."""
    try:
        host = urlsplit(origin).hostname or ""
    except ValueError:
        return ""
    return f"[{host}]" if ":" in host else host

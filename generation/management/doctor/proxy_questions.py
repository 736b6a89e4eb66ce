"""The proxy in front: asks the site by PUBLIC_URL, as a browser would."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.core.signing import TimestampSigner

from generation import bounded_http
from generation.management.doctor.answers import Answer, Section, no, skipped, yes
from generation.outages import cause_of
from generation.proxy_probe import HOLD, PATH, PROBE_HEADER, SALT, SUBJECT

TIMEOUT = 15.0
BODY_BYTES = 200 * 1024
"""Less than a web process accepts, and more than most proxies do by default."""

REACHED = "Does PUBLIC_URL lead to this studio?"
SECURE = "Does the proxy pass on the scheme and the host?"
STREAM = "Does the proxy pass on an event stream without buffering it?"
BODY = f"Does the proxy pass on a body of {BODY_BYTES // 1024} KiB?"
SOCKET = "Does the proxy pass on a WebSocket?"


Arrival = tuple[float, dict[str, Any]]
"""When an event arrived, and its data."""


def ask_site() -> Iterator[Answer]:
    if not settings.PUBLIC_URL:
        for each in (REACHED, SECURE, STREAM, BODY, SOCKET):
            yield skipped(each, "PUBLIC_URL is not set")
        return
    tls = bounded_http.tls_context(file=settings.SSL_CERT_FILE, folder=settings.SSL_CERT_DIR)
    with httpx.Client(verify=tls, timeout=TIMEOUT, trust_env=False) as client:
        reached = is_site_reached(client)
        yield reached
        if reached.state != "yes":
            for each in (SECURE, STREAM, BODY, SOCKET):
                yield skipped(each, "PUBLIC_URL cannot be asked")
            return
        yield from answers_of_stream(client)
        yield is_body_passed_on(client)
        yield is_socket_passed_on(client)


def is_site_reached(client: httpx.Client) -> Answer:
    url = f"{settings.PUBLIC_URL}/healthz"
    hint = f"curl -v {url}; check DNS, certificate and proxy"
    try:
        response = client.get(url)
    except httpx.HTTPError as error:
        return no(REACHED, cause_of(error), hint=hint, see=Section.PROXY)
    if response.status_code != 200 or response.text != "ok":
        found = f"{url} answers {response.status_code}"
        return no(REACHED, found, hint=hint, see=Section.PROXY)
    return yes(REACHED, settings.PUBLIC_URL)


def signature() -> dict[str, str]:
    """The header with which the site answers the probe, for a minute."""
    return {PROBE_HEADER: TimestampSigner(salt=SALT).sign(SUBJECT)}


def answers_of_stream(client: httpx.Client) -> Iterator[Answer]:
    """What the site saw of the request, and when its two events arrived."""
    arrived: list[Arrival] = []
    try:
        with client.stream("GET", f"{settings.PUBLIC_URL}/{PATH}", headers=signature()) as response:
            arrived = list(events_of(response))
            problem = f"it answers {response.status_code}"
    except (httpx.HTTPError, ValueError) as error:
        problem = cause_of(error)
    if len(arrived) < 2:
        yield secure_problem(problem)
        yield skipped(STREAM, problem)
        return
    seen = arrived[0][1]
    yield is_request_passed_on(seen)
    yield is_stream_passed_on(arrived[1][0] - arrived[0][0])


def secure_problem(found: str) -> Answer:
    return no(
        SECURE,
        found,
        hint="in the proxy: proxy_set_header X-Forwarded-Proto $scheme; and Host $http_host; "
        "SECRET_KEY must be the same for all processes",
        see=Section.PROXY,
    )


def events_of(response: httpx.Response) -> Iterator[Arrival]:
    for line in response.iter_lines():
        if line.startswith("data: "):
            yield monotonic(), json.loads(line.removeprefix("data: "))


def is_request_passed_on(seen: dict[str, Any]) -> Answer:
    public = urlsplit(settings.PUBLIC_URL)
    if seen["secure"] != (public.scheme == "https"):
        return secure_problem(f"the site sees {'https' if seen['secure'] else 'http'}")
    if seen["host"] != public.netloc:
        return secure_problem(f"the site sees the host {seen['host']}")
    return yes(SECURE, f"the site sees the address {seen['address']}")


def is_stream_passed_on(apart: float) -> Answer:
    """`apart`: seconds between two events that the site sent HOLD seconds apart."""
    found = f"events sent {HOLD:.0f} s apart arrived {apart:.1f} s apart"
    if apart < HOLD / 2:
        hint = "in the proxy: proxy_buffering off; and no compression for /events/"
        return no(STREAM, found, hint=hint, see=Section.SILENT_SOCKETS)
    return yes(STREAM, found)


def is_body_passed_on(client: httpx.Client) -> Answer:
    url, problem = f"{settings.PUBLIC_URL}/{PATH}", ""
    try:
        response = client.post(url, content=bytes(BODY_BYTES), headers=signature())
        if response.status_code != 200 or response.json()["bytes"] != BODY_BYTES:
            problem = f"it answers {response.status_code}"
    except (httpx.HTTPError, ValueError, KeyError) as error:
        problem = cause_of(error)
    if problem:
        hint = "in the proxy: client_max_body_size 256k;"
        return no(BODY, problem, hint=hint, see=Section.PROXY)
    return yes(BODY)


def is_socket_passed_on(client: httpx.Client) -> Answer:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Origin": "{0.scheme}://{0.netloc}".format(urlsplit(settings.PUBLIC_URL)),
    }
    try:
        with client.stream("GET", f"{settings.PUBLIC_URL}/ws/generate", headers=headers) as answer:
            status = answer.status_code
    except httpx.HTTPError as error:
        found = cause_of(error)
    else:
        if status == 101:
            return yes(SOCKET)
        found = f"it answers {status}"
    hint = "in the proxy: proxy_http_version 1.1; proxy_set_header Upgrade and Connection"
    return no(SOCKET, found, hint=hint, see=Section.SILENT_SOCKETS)

"""Commands of ASGI servers that can run the application."""

from __future__ import annotations

from importlib.util import find_spec

from benchmarks.lib.testbed import Server

HOST = "127.0.0.1"


def daphne(port: int, application: str) -> list[str]:
    return [
        *("-m", "daphne", "-v", "0", "-b", HOST, "-p", str(port)),
        *("--ping-interval", "20", "--ping-timeout", "20", application),
    ]


def uvicorn(port: int, application: str) -> list[str]:
    """Without WebSocket compression, which costs 30 KiB per socket."""
    return [
        *("-m", "uvicorn", "--host", HOST, "--port", str(port), "--log-level", "error"),
        *("--ws", "websockets-sansio", "--ws-per-message-deflate", "false", application),
    ]


def granian(port: int, application: str) -> list[str]:
    return [
        *("-m", "granian", "--host", HOST, "--port", str(port), "--log-level", "error"),
        *("--interface", "asgi", "--workers", "1", application),
    ]


def hypercorn(port: int, application: str) -> list[str]:
    """Without workers, so that the started process serves."""
    return [
        *("-m", "hypercorn", "--bind", f"{HOST}:{port}", "--workers", "0"),
        *("--log-level", "error", application),
    ]


SERVERS: dict[str, Server] = {each.__name__: each for each in (daphne, uvicorn, granian, hypercorn)}


def installed() -> dict[str, Server]:
    return {name: server for name, server in SERVERS.items() if find_spec(name)}

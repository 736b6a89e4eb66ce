"""Serves the application with daphne, for `python -m demo_xinference`."""

from __future__ import annotations

import asyncio
from typing import Any

from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server
from twisted.internet import defer, reactor

from demo_xinference.app import DemoXinference
from demo_xinference.http import DROP


class DroppingServer(Server):  # type: ignore[misc]
    """Supports one more ASGI message, which cuts the connection without a response."""

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        return super().create_application(protocol, scope | {"extensions": {DROP: {}}})

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        if message["type"] == DROP:
            if protocol.channel is not None:
                protocol.channel.transport.abortConnection()
            return
        await super().handle_reply(protocol, message)


def serve(app: DemoXinference, *, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM; prints READY and the address once it listens."""
    server = DroppingServer(
        application=app,
        endpoints=build_endpoint_description_strings(host=host, port=port),
        server_name="demo-xinference",
        verbosity=1,
    )

    def print_addresses() -> None:
        for address, number in server.listening_addresses:
            print(f"READY http://{address}:{number} {app.model.uid}", flush=True)

    def ended() -> defer.Deferred[None]:
        return defer.Deferred.fromFuture(asyncio.ensure_future(app.aclose()))

    reactor.callWhenRunning(print_addresses)
    reactor.addSystemEventTrigger("before", "shutdown", ended)
    server.run()

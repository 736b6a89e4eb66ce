"""A program's WebSocket over TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Coroutine, Mapping
from threading import Thread
from typing import Any, Self

from websockets.asyncio.client import connect

from tests.studio import PATIENCE


class SecureSocket:
    """Blocks like websockets' own client in `sync`, but one thread alone touches the connection.

    That client reads in one thread and writes in another; before Python 3.13 a TLS connection does
    not bear it, and now and then loses a handshake.
    """

    def __init__(self, url: str, *, trust: ssl.SSLContext, headers: Mapping[str, str]) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        try:
            self.connection = self.run(opened(url, trust, headers))
        except BaseException:
            self.end()
            raise

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE)

    def send(self, text: str) -> None:
        self.run(self.connection.send(text))

    def recv(self) -> str:
        """The next message; raises ConnectionClosed, and TimeoutError after PATIENCE."""
        return str(self.run(self.connection.recv()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.run(self.connection.close())
        self.end()

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


async def opened(url: str, trust: ssl.SSLContext, headers: Mapping[str, str]) -> Any:
    return await connect(url, ssl=trust, additional_headers=headers, open_timeout=PATIENCE)

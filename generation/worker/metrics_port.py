"""`/metrics` of a worker process, which has no other port."""

from __future__ import annotations

import asyncio
import logging

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from accounts.log_format import log_line
from generation.metrics_access import may_read_metrics
from generation.outages import cause_of
from generation.shutdown import finish_within

logger = logging.getLogger(__name__)

HEAD_BYTES = 8 * 1024
TIMEOUT = 5.0
"""Seconds for one request and its response."""

MOST_AT_ONCE = 8
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class MetricsPort:
    """Serves the metrics of this process on `host:port`, one request per connection."""

    def __init__(self, address: str) -> None:
        """`address`: as `liujuan_site.addresses.listen_address` returns it."""
        self.address = address
        self.server: asyncio.Server | None = None
        self.connections = 0

    async def start(self) -> None:
        """Listen; if the port is taken, the worker goes on without it."""
        host, _colon, port = self.address.rpartition(":")
        try:
            self.server = await asyncio.start_server(
                self.handle, host.strip("[]"), int(port), limit=HEAD_BYTES
            )
        except OSError as error:
            line = log_line("metrics_port_unusable", address=self.address, cause=cause_of(error))
            logger.error("%s", line)

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
            await finish_within(TIMEOUT, self.server.wait_closed(), name="metrics port")

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            async with asyncio.timeout(TIMEOUT):
                if self.connections <= MOST_AT_ONCE:
                    writer.write(await self.response(reader, writer))
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self.connections -= 1
            writer.close()

    async def response(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        request, *lines = head.splitlines()
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _colon, value in pairs}
        peer = (writer.get_extra_info("peername") or ("",))[0]
        # no proxy stands before this port, whatever the request says
        may_read = may_read_metrics(headers, peer, proxies=0)
        if request.split(" ")[:2] != ["GET", "/metrics"] or not may_read:
            return NOT_FOUND
        body = await asyncio.to_thread(generate_latest)
        return (
            f"HTTP/1.1 200 OK\r\nContent-Type: {CONTENT_TYPE_PLAIN_0_0_4}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        ).encode() + body

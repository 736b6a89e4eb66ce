"""A proxy before the model server that records all bytes sent to it."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import suppress


class RecordingProxy(socketserver.ThreadingTCPServer):
    """Forwards bytes from its own port to `port` and keeps those of that direction."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.target = ("127.0.0.1", port)
        self.received: list[bytes] = []
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, words: str) -> int:
        return b"".join(self.received).count(words.encode())

    def stop(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class Connection(socketserver.BaseRequestHandler):
    server: RecordingProxy

    def handle(self) -> None:
        near: socket.socket = self.request
        with suppress(OSError), socket.create_connection(self.server.target) as far:
            answers = threading.Thread(target=forward, args=[far, near], daemon=True)
            answers.start()
            forward(near, far, self.server.received)
            answers.join()


def forward(source: socket.socket, sink: socket.socket, copy: list[bytes] | None = None) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            if copy is not None:
                copy.append(data)
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)

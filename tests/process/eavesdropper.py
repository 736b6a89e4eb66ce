"""A line to the model server on which every byte that is said to it can be counted."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import suppress


class Eavesdropper(socketserver.ThreadingTCPServer):
    """Passes bytes from a port of its own to `port`; keeps what was said in that direction."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Line)
        self.target = ("127.0.0.1", port)
        self.said: list[bytes] = []
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, words: str) -> int:
        return b"".join(self.said).count(words.encode())

    def hang_up(self) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


class Line(socketserver.BaseRequestHandler):
    server: Eavesdropper

    def handle(self) -> None:
        near: socket.socket = self.request
        with suppress(OSError), socket.create_connection(self.server.target) as far:
            answers = threading.Thread(target=pass_on, args=[far, near], daemon=True)
            answers.start()
            pass_on(near, far, self.server.said)
            answers.join()


def pass_on(source: socket.socket, sink: socket.socket, copy: list[bytes] | None = None) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            if copy is not None:
                copy.append(data)
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)

"""A TCP line between the browser and the studio that can really be cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class Cable:
    """Passes bytes from a port of its own to `port`, until it is cut."""

    def __init__(self, port: int) -> None:
        self.target = ("127.0.0.1", port)
        self.lock = threading.Lock()
        self.ends: set[socket.socket] = set()
        self.listener: socket.socket | None = None
        self.port = 0
        self.mend()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def mend(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self.listener = listener
        threading.Thread(target=self.accept, args=[listener], daemon=True).start()

    def cut(self) -> None:
        """Everything that is open breaks, and nothing new gets through."""
        with self.lock:
            broken = list(self.ends)
            self.ends.clear()
            listener, self.listener = self.listener, None
        for end in [listener, *broken]:
            if end is not None:
                with suppress(OSError):  # the other side may have been faster
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _address = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.target)
            except OSError:
                near.close()
                continue
            with self.lock:
                whole = listener is self.listener
                if whole:
                    self.ends |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self.pump, args=[source, sink], daemon=True).start()

    def pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self.pass_on(data, source, sink)
        with self.lock:
            self.ends -= {source, sink}
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def pass_on(self, data: bytes, source: socket.socket, sink: socket.socket) -> None:
        sink.sendall(data)


REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class OldProxy(Cable):
    """Knows nothing of WebSockets; with `holds_back` it also collects an answer to its end."""

    def __init__(self, port: int, *, holds_back: bool = False) -> None:
        self.holds_back = holds_back
        self.knows_sockets = False
        self.held: set[socket.socket] = set()
        super().__init__(port)

    def pass_on(self, data: bytes, source: socket.socket, sink: socket.socket) -> None:
        if source in self.held:
            return
        if b"\r\nUpgrade: websocket" in data and not self.knows_sockets:
            source.sendall(REFUSAL)
            raise ConnectionRefusedError
        if self.holds_back and data.startswith(b"GET /events/?"):
            self.held.add(sink)
        sink.sendall(data)

"""A TCP proxy between browser and studio whose connections can be cut."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class TcpProxy:
    """Forwards bytes from its own port to `port`, until it is cut."""

    def __init__(self, port: int) -> None:
        self.target = ("127.0.0.1", port)
        self.lock = threading.Lock()
        self.ends: set[socket.socket] = set()
        self.listener: socket.socket | None = None
        self.port = 0
        self.resume()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def resume(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self.listener = listener
        threading.Thread(target=self.accept, args=[listener], daemon=True).start()

    def cut(self) -> None:
        """Break all open connections and refuse new ones."""
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
                self.forward(data, source, sink)
        with self.lock:
            self.ends -= {source, sink}
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def forward(self, data: bytes, source: socket.socket, sink: socket.socket) -> None:
        sink.sendall(data)


REFUSAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class HttpOnlyProxy(TcpProxy):
    """Refuses WebSockets; with `buffers` it also holds streams back until they end."""

    def __init__(self, port: int, *, buffers: bool = False) -> None:
        self.buffers = buffers
        self.allows_websockets = False
        self.held: set[socket.socket] = set()
        super().__init__(port)

    def forward(self, data: bytes, source: socket.socket, sink: socket.socket) -> None:
        if source in self.held:
            return
        if b"\r\nUpgrade: websocket" in data and not self.allows_websockets:
            source.sendall(REFUSAL)
            raise ConnectionRefusedError
        if self.buffers and data.startswith(b"GET /events/?"):
            self.held.add(sink)
        sink.sendall(data)

"""The painting process: takes orders from its socket until the socket is closed.

Started as `python -m demo_xinference.painter <socket>`. Answers {"ready"} once, then for each
order {"step": k} per step and {"done"} with the file, {"stopped"} or {"failed": why}. "pauses" are
pairs (step, stoppable): after that step it waits for {"resume"}, so that no later one is painted
meanwhile, or for {"stop"} if it is stoppable.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import socket
import sys
import threading
from collections import Counter
from typing import Any

from demo_xinference.messages import PREFIX, pack

NICENESS = 10
"""Niceness, so that the event loop of the web process runs first."""


class Inbox(threading.Thread):
    """Reads orders and stop requests; the end of the stream ends the process at once."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(daemon=True)
        self.connection = connection
        self.orders: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.changed = threading.Condition()
        self.stopped: set[int] = set()
        self.resumed: Counter[int] = Counter()
        self.ended = 0
        """Number of the job that ended last; jobs are numbered in the order of their orders."""

    def run(self) -> None:
        while True:
            message = self.receive()
            if message is None:
                # the parent has ended: exit, whatever the main thread does
                os._exit(0)
            if "paint" in message:
                self.orders.put(message)
                continue
            self.take(message)

    def take(self, message: dict[str, int]) -> None:
        """Note {"stop": job} or {"resume": job}; ignored if the job has ended."""
        with self.changed:
            if "stop" in message and message["stop"] > self.ended:
                self.stopped.add(message["stop"])
            elif "resume" in message and message["resume"] > self.ended:
                self.resumed[message["resume"]] += 1
            self.changed.notify()

    def pause(self, number: int, *, stoppable: bool) -> None:
        """Wait until the job is resumed, or stopped if it is `stoppable`."""
        with self.changed:
            self.changed.wait_for(
                lambda: self.resumed[number] > 0 or (stoppable and number in self.stopped)
            )
            if self.resumed[number] > 0:
                self.resumed[number] -= 1

    def end(self, number: int) -> None:
        """Forget the job and all before it."""
        with self.changed:
            self.ended = number
            self.stopped.discard(number)
            self.resumed.pop(number, None)

    def receive(self) -> dict[str, Any] | None:
        prefix = self.exactly(PREFIX.size)
        if prefix is None:
            return None
        header, _ = PREFIX.unpack(prefix)
        text = self.exactly(header)
        return None if text is None else json.loads(text)

    def exactly(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            try:
                part = self.connection.recv(count - len(data))
            except OSError:
                return None
            if not part:
                return None
            data += part
        return data


def main() -> None:
    # Ctrl-C in the terminal is for the server, which ends this process by closing the socket
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    connection = socket.socket(fileno=int(sys.argv[1]))
    inbox = Inbox(connection)
    inbox.start()
    from demo_xinference.painting.denoise import Order, Painting

    connection.sendall(pack({"ready": True}))
    while True:
        message = inbox.orders.get()
        number = message["paint"]
        try:
            painting = Painting(Order(**message["order"]), message["speed"])
            while painting.done < painting.order.steps and number not in inbox.stopped:
                painting.advance()
                connection.sendall(pack({"job": number, "step": painting.done}))
                for step, stoppable in message["pauses"]:
                    if step == painting.done:
                        inbox.pause(number, stoppable=stoppable)
            file = b"" if number in inbox.stopped else painting.finish()
        except (ArithmeticError, MemoryError, ValueError, IndexError, KeyError) as error:
            inbox.end(number)
            connection.sendall(pack({"job": number, "failed": f"{type(error).__name__}: {error}"}))
            continue
        stopped = number in inbox.stopped
        inbox.end(number)
        if stopped:
            connection.sendall(pack({"job": number, "stopped": True}))
        else:
            connection.sendall(pack({"job": number, "done": True}, file))


if __name__ == "__main__":
    # the server may end during a write; the inbox notices it too
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        main()

"""A semaphore that serves waiting clients round-robin."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock


class SemaphoreFull(Exception):
    """Too many threads wait, or this one waited too long."""


class Waiter:
    """A waiting thread; `done` is also set when it loses its place."""

    def __init__(self) -> None:
        self.done = Event()
        self.granted = False


class FairSemaphore:
    """Bounds the threads inside and the threads that wait.

    Clients are served round-robin, so many threads of one client delay another by one turn only.
    When all places are taken, the client with most of them loses its last one.
    """

    def __init__(self, inside: int, waiting: int, patience: float) -> None:
        """`patience`: seconds that a thread waits at most."""
        self.lock = Lock()
        self.free = inside
        self.waiting = waiting
        self.patience = patience
        self.queues: OrderedDict[str, deque[Waiter]] = OrderedDict()
        """Waiting threads by client, next client first; no queue is empty."""

    @contextmanager
    def held_by(self, client: str) -> Iterator[None]:
        """Enter for `client`; raises SemaphoreFull."""
        self.acquire(client)
        try:
            yield
        finally:
            self.release()

    def acquire(self, client: str) -> None:
        with self.lock:
            if self.free:
                self.free -= 1
                return
            self.make_room(client)
            ticket = Waiter()
            self.queues.setdefault(client, deque()).append(ticket)
        ticket.done.wait(self.patience)
        with self.lock:
            if not ticket.granted:
                self.remove(client, ticket)
                raise SemaphoreFull

    def release(self) -> None:
        """Pass the turn to a waiting thread, so that a new one cannot overtake it."""
        with self.lock:
            if not self.queues:
                self.free += 1
                return
            client, queue = self.queues.popitem(last=False)
            ticket = queue.popleft()
            if queue:
                self.queues[client] = queue
            ticket.granted = True
            ticket.done.set()

    def make_room(self, client: str) -> None:
        if sum(map(len, self.queues.values())) < self.waiting:
            return
        longest = max(self.queues, key=lambda each: len(self.queues[each]), default=client)
        if len(self.queues.get(longest, ())) <= len(self.queues.get(client, ())) + 1:
            raise SemaphoreFull
        last = self.queues[longest][-1]
        self.remove(longest, last)
        last.done.set()

    def remove(self, client: str, ticket: Waiter) -> None:
        """Remove a waiting thread, if it still waits."""
        queue = self.queues.get(client)
        if queue is None or ticket not in queue:
            return
        queue.remove(ticket)
        if not queue:
            del self.queues[client]

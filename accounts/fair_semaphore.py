"""Turns for what costs a processor: few at once, and each client in its turn."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock


class SemaphoreFull(Exception):
    """Too many wait, or one waited too long."""


class Waiter:
    """What a thread waits with; `done` also when its place went to another client."""

    def __init__(self) -> None:
        self.done = Event()
        self.granted = False


class FairSemaphore:
    """A bounded number of threads inside, and a bounded number that waits.

    The turn goes round by client: however many threads one has, another waits for one of them
    only. Where all places are taken, the client with most of them gives its last one up.
    """

    def __init__(self, inside: int, waiting: int, patience: float) -> None:
        """`patience`: the seconds that a thread waits at most."""
        self.lock = Lock()
        self.free = inside
        self.waiting = waiting
        self.patience = patience
        self.queues: OrderedDict[str, deque[Waiter]] = OrderedDict()
        """Of those that wait, by client; the first client is the next one. None is empty."""

    @contextmanager
    def held_by(self, client: str) -> Iterator[None]:
        """Raises SemaphoreFull."""
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
        """Hand the turn on, so that a thread that comes just now cannot take it."""
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
        """Does nothing for a ticket that waits no more."""
        queue = self.queues.get(client)
        if queue is None or ticket not in queue:
            return
        queue.remove(ticket)
        if not queue:
            del self.queues[client]

"""Turns for what costs a processor: few at once, and each client in its turn."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock


class NoTurn(Exception):
    """Too many wait, or one waited too long."""


class Ticket:
    """What a thread waits with; `decided` also when its place went to another client."""

    def __init__(self) -> None:
        self.decided = Event()
        self.granted = False


class Turns:
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
        self.queues: OrderedDict[str, deque[Ticket]] = OrderedDict()
        """Of those that wait, by client; the first client is the next one. None is empty."""

    @contextmanager
    def taking(self, client: str) -> Iterator[None]:
        """Raises NoTurn."""
        self.enter(client)
        try:
            yield
        finally:
            self.leave()

    def enter(self, client: str) -> None:
        with self.lock:
            if self.free:
                self.free -= 1
                return
            self.make_place(client)
            ticket = Ticket()
            self.queues.setdefault(client, deque()).append(ticket)
        ticket.decided.wait(self.patience)
        with self.lock:
            if not ticket.granted:
                self.remove(client, ticket)
                raise NoTurn

    def leave(self) -> None:
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
            ticket.decided.set()

    def make_place(self, client: str) -> None:
        if sum(map(len, self.queues.values())) < self.waiting:
            return
        longest = max(self.queues, key=lambda each: len(self.queues[each]), default=client)
        if len(self.queues.get(longest, ())) <= len(self.queues.get(client, ())) + 1:
            raise NoTurn
        last = self.queues[longest][-1]
        self.remove(longest, last)
        last.decided.set()

    def remove(self, client: str, ticket: Ticket) -> None:
        """Does nothing for a ticket that waits no more."""
        queue = self.queues.get(client)
        if queue is None or ticket not in queue:
            return
        queue.remove(ticket)
        if not queue:
            del self.queues[client]

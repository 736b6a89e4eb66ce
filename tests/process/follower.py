"""A client that follows its tasks as a page does, and reconnects."""

from __future__ import annotations

import threading
import time
import uuid
from collections import defaultdict
from contextlib import suppress
from typing import Any, Self

from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.production import Production
from tests.studio import PATIENCE, Watcher, wait_until

ABNORMAL = 1006
"""Close code of a connection that ended without a close frame."""

PAUSE = 0.1

CONNECTION_ERRORS = (OSError, InvalidHandshake, EOFError)


class Follower:
    """Reads in a thread; when its web stops it reconnects to the next one.

    It attaches again with its cursors and repeats unanswered messages under the same key. Every
    received event frame is kept, duplicates too.
    """

    def __init__(self, site: Production, token: str, web: int = 0) -> None:
        self.site = site
        self.token = token
        self.web = web
        self.watcher: Watcher | None = None
        self.events: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.unanswered: dict[str, dict[str, Any]] = {}
        self.accepted: dict[str, str] = {}
        self.refusals: list[str] = []
        self.codes: list[int] = []
        self.queue_frames: list[dict[str, Any]] = []
        self.noticed: set[str] = set()
        self.given_up = False
        self.send_lock = threading.Lock()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.follow)

    def __enter__(self) -> Self:
        self.thread.start()
        wait_until(lambda: self.watcher, what="the follower is connected")
        return self

    def __exit__(self, *error: Any) -> None:
        self.stopping.set()
        self.thread.join()

    def follow(self) -> None:
        while not self.stopping.is_set():
            self.given_up = False
            with suppress(*CONNECTION_ERRORS), self.site.connect(self.token, self.web) as watcher:
                self.read(watcher)
            self.watcher = None
            self.web = (self.web + 1) % len(self.site.webs)
            time.sleep(PAUSE)

    def read(self, watcher: Watcher) -> None:
        """Read until this connection ends, or the follower stops."""
        try:
            while not self.stopping.is_set() and not self.given_up:
                with suppress(TimeoutError):
                    self.handle(watcher, watcher.receive(PAUSE))
        except ConnectionClosed as closed:
            self.codes.append(closed.rcvd.code if closed.rcvd else ABNORMAL)

    def handle(self, watcher: Watcher, message: dict[str, Any]) -> None:
        if message["type"] == "hello":
            self.resume(watcher)
        elif message["type"] == "ack":
            self.unanswered.pop(message["request_key"], None)
            self.accepted[message["request_key"]] = message["task_id"]
        elif message["type"] == "task":
            self.noticed.add(message["task_id"])
        elif message["type"] == "queue":
            self.queue_frames.append(message)
        elif "kind" in message:
            self.events[message["task_id"]].append(message)
        elif message["type"] == "error":
            self.refused(watcher, message)

    def resume(self, watcher: Watcher) -> None:
        """Attach again, and repeat unanswered messages."""
        for task_id in self.accepted.values():
            events = self.events[task_id]
            if not events or not is_over(events[-1]):
                after = events[-1]["seq"] if events else 0
                watcher.send(action="attach", task_id=task_id, after=after)
        with self.send_lock:
            for message in self.unanswered.values():
                watcher.send(**message)
            self.watcher = watcher

    def refused(self, watcher: Watcher, message: dict[str, Any]) -> None:
        """`unavailable` means: nothing was lost, try again in a moment."""
        self.refusals.append(message["code"])
        time.sleep(PAUSE)
        again = self.unanswered.get(message.get("request_key", ""))
        if again is not None:
            watcher.send(**again)
        else:
            # an attach, but an unknown one: reconnect
            self.given_up = True

    def ask(self, prompt: str = "LiuJuan", **fields: Any) -> str:
        """Send a prompt without waiting for the response; its request key."""
        return self.send(action="generate", prompt=prompt, **fields)

    def send(self, **message: Any) -> str:
        """Send a message until it is answered; its request key."""
        key: str = message.setdefault("request_key", str(uuid.uuid4()))
        with self.send_lock:
            self.unanswered[key] = message
            if self.watcher is not None:
                with suppress(ConnectionClosed):
                    self.watcher.send(**self.unanswered[key])
        return key

    def generate(self, prompt: str = "LiuJuan", **fields: Any) -> str:
        """The id of the new task, after as many attempts as necessary."""
        return self.accepted_as(self.ask(prompt, **fields))

    def retry(self, task_id: str) -> str:
        """The id of the new task."""
        return self.accepted_as(self.send(action="retry", task_id=task_id))

    def accepted_as(self, key: str) -> str:
        task_id: str = wait_until(lambda: self.accepted.get(key), what="it is accepted")
        return task_id

    def until(self, task_id: str, kind: str, seconds: float = PATIENCE) -> dict[str, Any]:
        """The first event of this kind."""
        event: dict[str, Any] = wait_until(
            lambda: next((e for e in list(self.events[task_id]) if e["kind"] == kind), None),
            what=f"{kind} of {task_id}",
            seconds=seconds,
        )
        return event

    def until_over(self, task_id: str, seconds: float = 3 * PATIENCE) -> dict[str, Any]:
        """The last event; every one before it came, in order and once."""
        wait_until(
            lambda: self.events[task_id] and is_over(self.events[task_id][-1]),
            what=f"{task_id} ends",
            seconds=seconds,
        )
        last = self.events[task_id][-1]
        assert self.seqs(task_id) == list(range(1, last["seq"] + 1))
        return last

    def kinds(self, task_id: str) -> list[str]:
        return [event["kind"] for event in self.events[task_id]]

    def seqs(self, task_id: str) -> list[int]:
        return [event["seq"] for event in self.events[task_id]]

    def interruptions(self, task_id: str) -> list[dict[str, Any]]:
        """What the log says of each attempt that broke off."""
        return [e["details"] for e in self.events[task_id] if e["kind"] == "interrupted"]

    def queue_reason(self, task_id: str) -> str | None:
        """Why the task waits, by the last `queue` frame that names it."""
        for message in reversed(self.queue_frames):
            if task_id in message["tasks"]:
                reason: str = message["tasks"][task_id]["reason"]
                return reason
        return None


def is_over(event: dict[str, Any]) -> bool:
    return event["kind"] in ("completed", "failed", "cancelled")

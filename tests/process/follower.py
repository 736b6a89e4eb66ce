"""A program that follows its tasks as the page does, wherever its connection goes."""

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
"""What a page sees when a connection ends without a word."""

PAUSE = 0.1
NOBODY_THERE = (OSError, InvalidHandshake, EOFError)


class Follower:
    """Reads in a thread of its own; when its web goes it comes back to the next one.

    It attaches again with its cursors and sends again what was not answered, under the same key.
    Every event frame that arrived is kept, also one that should not have come twice.
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
        self.told: list[dict[str, Any]] = []
        self.noticed: set[str] = set()
        self.given_up = False
        self.speaking = threading.Lock()
        self.leaving = threading.Event()
        self.thread = threading.Thread(target=self.follow)

    def __enter__(self) -> Self:
        self.thread.start()
        wait_until(lambda: self.watcher, what="the follower is connected")
        return self

    def __exit__(self, *error: Any) -> None:
        self.leaving.set()
        self.thread.join()

    def follow(self) -> None:
        while not self.leaving.is_set():
            self.given_up = False
            with suppress(*NOBODY_THERE), self.site.connect(self.token, self.web) as watcher:
                self.read(watcher)
            self.watcher = None
            self.web = (self.web + 1) % len(self.site.webs)
            time.sleep(PAUSE)

    def read(self, watcher: Watcher) -> None:
        """Until this connection ends, or the follower leaves."""
        try:
            while not self.leaving.is_set() and not self.given_up:
                with suppress(TimeoutError):
                    self.handle(watcher, watcher.receive(PAUSE))
        except ConnectionClosed as closed:
            self.codes.append(closed.rcvd.code if closed.rcvd else ABNORMAL)

    def handle(self, watcher: Watcher, message: dict[str, Any]) -> None:
        if message["type"] == "hello":
            self.greet(watcher)
        elif message["type"] == "ack":
            self.unanswered.pop(message["request_key"], None)
            self.accepted[message["request_key"]] = message["task_id"]
        elif message["type"] == "task":
            self.noticed.add(message["task_id"])
        elif message["type"] == "queue":
            self.told.append(message)
        elif "kind" in message:
            self.events[message["task_id"]].append(message)
        elif message["type"] == "error":
            self.refused(watcher, message)

    def greet(self, watcher: Watcher) -> None:
        """Attach again, and send again."""
        for task_id in self.accepted.values():
            events = self.events[task_id]
            if not events or not is_over(events[-1]):
                after = events[-1]["seq"] if events else 0
                watcher.send(action="attach", task_id=task_id, after=after)
        with self.speaking:
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
            # an attach, but not which: begin anew
            self.given_up = True

    def ask(self, prompt: str = "LiuJuan", **fields: Any) -> str:
        """Send a prompt and do not wait for the answer; its request key."""
        return self.say(action="generate", prompt=prompt, **fields)

    def say(self, **message: Any) -> str:
        """The request key, under which it is sent until it is answered."""
        key: str = message.setdefault("request_key", str(uuid.uuid4()))
        with self.speaking:
            self.unanswered[key] = message
            if self.watcher is not None:
                with suppress(ConnectionClosed):
                    self.watcher.send(**self.unanswered[key])
        return key

    def generate(self, prompt: str = "LiuJuan", **fields: Any) -> str:
        """The id of the task that was made, however often it had to be asked for."""
        return self.accepted_as(self.ask(prompt, **fields))

    def retry(self, task_id: str) -> str:
        """The id of the new task."""
        return self.accepted_as(self.say(action="retry", task_id=task_id))

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

    def reason_told(self, task_id: str) -> str | None:
        """Why the task waits, by the last `queue` frame that names it."""
        for message in reversed(self.told):
            if task_id in message["tasks"]:
                reason: str = message["tasks"][task_id]["reason"]
                return reason
        return None


def is_over(event: dict[str, Any]) -> bool:
    return event["kind"] in ("completed", "failed", "cancelled")

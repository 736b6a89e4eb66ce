"""Clients that submit, watch and cancel tasks, and reconnect when disconnected."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections import Counter, defaultdict
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.chaos.plan import PlannedTask
from tests.programs import Web

PACE = 0.06
"""Seconds between messages; the server's rate limit is 20 a second."""

REPEAT_AFTER = 3.0
"""Seconds until a temporarily refused message is sent again."""

NO_RECONNECT = {4401, 4403}
ENDS = {"completed", "failed", "cancelled"}


class Client:
    """One socket of a person that reconnects as a page does, and keeps all events."""

    def __init__(self, name: str, token: str, webs: list[Web], chance: random.Random) -> None:
        self.name = name
        self.webs = webs
        self.chance = chance
        self.headers = {"Authorization": f"Bearer {token}"}
        self.seen: defaultdict[str, list[int]] = defaultdict(list)
        self.ended: dict[str, str] = {}
        self.closes: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()
        self.asked: dict[str, dict[str, Any]] = {}
        self.accepted: dict[str, str] = {}
        self.attached: set[str] = set()
        self.outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.greeted = asyncio.Event()
        self.to_cancel: set[str] = set()
        self.sent: set[str] = set()
        """Keys of submissions on this connection that were not refused."""
        self.web: Web | None = None

    def cursor(self, task_id: str) -> int:
        return self.seen[task_id][-1] if self.seen[task_id] else 0

    async def submit(self, planned_task: PlannedTask) -> None:
        """Submit a planned task, repeatedly if necessary; cancel it later if planned."""
        key = str(uuid.uuid4())
        self.asked[key] = {
            "action": "generate",
            "prompt": f"LiuJuan, {self.name}, planned_task {len(self.asked) + 1}",
            "size": "256x256",
            "n": planned_task.n,
            "steps": planned_task.steps,
            "request_key": key,
        }
        if self.web is not None:
            self.request(key)
        if planned_task.cancel_after is not None:
            await asyncio.sleep(planned_task.cancel_after)
            while key not in self.accepted:
                await asyncio.sleep(0.2)
            self.to_cancel.add(self.accepted[key])

    async def run(self) -> None:
        """Connect to a random web again and again, until the server refuses the account."""
        while not self.closes.keys() & NO_RECONNECT:
            web = self.chance.choice(self.webs)
            try:
                async with connect(
                    f"ws://127.0.0.1:{web.port}/ws/generate",
                    additional_headers=self.headers,
                    open_timeout=10,
                    close_timeout=1,
                ) as connection:
                    self.web = web
                    await self.handle_connection(connection)
            except (OSError, WebSocketException, TimeoutError) as error:
                received = getattr(error, "rcvd", None)
                self.closes[received.code if received else 1006] += 1
            self.web = None
            await asyncio.sleep(self.chance.uniform(0.2, 1.5))

    async def handle_connection(self, connection: ClientConnection) -> None:
        self.attached.clear()
        self.sent.clear()
        self.outgoing = asyncio.Queue()
        self.greeted.clear()
        for task_id in self.seen:
            if task_id not in self.ended:
                self.attach(task_id)
        tasks = [
            asyncio.create_task(self.send_queued(connection)),
            asyncio.create_task(self.repeat_unanswered()),
        ]
        try:
            async for text in connection:
                self.handle(json.loads(text))
            self.closes[connection.close_code or 1006] += 1
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def send_queued(self, connection: ClientConnection) -> None:
        while True:
            await connection.send(json.dumps(await self.outgoing.get()))
            await asyncio.sleep(PACE)

    async def repeat_unanswered(self) -> None:
        """Repeat unanswered messages: the same key is the same task.

        Not before `hello` and its attachments: a repeated submission attaches its task, and an
        attachment from seq 0 that follows would read its first events again.
        """
        await self.greeted.wait()
        while True:
            for key in self.asked.keys() - self.accepted.keys() - self.sent:
                self.request(key)
            for task_id in self.to_cancel - self.ended.keys():
                self.outgoing.put_nowait({"action": "cancel", "task_id": task_id})
            await asyncio.sleep(REPEAT_AFTER)

    def request(self, key: str) -> None:
        self.sent.add(key)
        self.outgoing.put_nowait(self.asked[key])

    def attach(self, task_id: str) -> None:
        if task_id not in self.attached:
            self.attached.add(task_id)
            after = self.cursor(task_id)
            self.outgoing.put_nowait({"action": "attach", "task_id": task_id, "after": after})

    def handle(self, message: dict[str, Any]) -> None:
        kind, task_id = message["type"], message.get("task_id", "")
        if kind == "hello":
            for entry in message["active"]:
                self.attach(entry["task_id"])
            self.greeted.set()
        elif kind == "ack":
            self.accepted[message["request_key"]] = task_id
            self.attached.add(task_id)
        elif kind == "task":
            self.attach(task_id)
        elif "kind" in message:
            self.record(message)
        elif kind == "error":
            self.errors[message["code"]] += 1
            self.sent.discard(message.get("request_key") or "")
            # not attached after all, perhaps: the next connection, or the next notice, tries again
            self.attached.discard(task_id)

    def record(self, event: dict[str, Any]) -> None:
        """Record an event as received, without filtering or sorting."""
        self.seen[event["task_id"]].append(event["seq"])
        if event["kind"] in ENDS:
            self.ended[event["task_id"]] = event["kind"]

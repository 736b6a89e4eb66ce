"""People at their sockets: they ask, watch, change their minds, and come back when cut off."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections import Counter, defaultdict
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.chaos.plan import Wish
from tests.production import Web

PACE = 0.06
"""Seconds between messages: the server's flood limit is 20 a second."""

ASK_AGAIN = 3.0
"""Seconds after which a message that was refused for now is sent again."""

NOT_WANTED = {4401, 4403}
ENDS = {"completed", "failed", "cancelled"}


class Device:
    """One socket of a person, kept open by coming back as a page does; remembers all it saw."""

    def __init__(self, name: str, token: str, webs: list[Web], chance: random.Random) -> None:
        self.name = name
        self.webs = webs
        self.chance = chance
        self.headers = {"Authorization": f"Bearer {token}"}
        self.seen: defaultdict[str, list[int]] = defaultdict(list)
        self.ended: dict[str, str] = {}
        self.closes: Counter[int] = Counter()
        self.complaints: Counter[str] = Counter()
        self.asked: dict[str, dict[str, Any]] = {}
        self.accepted: dict[str, str] = {}
        self.attached: set[str] = set()
        self.outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.wants_away: set[str] = set()
        self.sent: set[str] = set()
        """Keys of what was asked on this connection and not refused."""
        self.web: Web | None = None

    def cursor(self, task_id: str) -> int:
        return self.seen[task_id][-1] if self.seen[task_id] else 0

    async def make(self, wish: Wish) -> None:
        """Ask for the wish, whatever happens to the connection; perhaps cancel it later."""
        key = str(uuid.uuid4())
        self.asked[key] = {
            "action": "generate",
            "prompt": f"LiuJuan, {self.name}, wish {len(self.asked) + 1}",
            "size": "256x256",
            "n": wish.n,
            "steps": wish.steps,
            "request_key": key,
        }
        if self.web is not None:
            self.ask(key)
        if wish.cancel_after is not None:
            await asyncio.sleep(wish.cancel_after)
            while key not in self.accepted:
                await asyncio.sleep(0.2)
            self.wants_away.add(self.accepted[key])

    async def live(self) -> None:
        """Connect to any web; cut off, to another one; not wanted any more, to none."""
        while not self.closes.keys() & NOT_WANTED:
            web = self.chance.choice(self.webs)
            try:
                async with connect(
                    f"ws://127.0.0.1:{web.port}/ws/generate",
                    additional_headers=self.headers,
                    open_timeout=10,
                    close_timeout=1,
                ) as connection:
                    self.web = web
                    await self.talk(connection)
            except (OSError, WebSocketException, TimeoutError) as error:
                received = getattr(error, "rcvd", None)
                self.closes[received.code if received else 1006] += 1
            self.web = None
            await asyncio.sleep(self.chance.uniform(0.2, 1.5))

    async def talk(self, connection: ClientConnection) -> None:
        self.attached.clear()
        self.sent.clear()
        self.outgoing = asyncio.Queue()
        for task_id in self.seen:
            if task_id not in self.ended:
                self.attach(task_id)
        tasks = [
            asyncio.create_task(self.speak(connection)),
            asyncio.create_task(self.insist()),
        ]
        try:
            async for text in connection:
                self.handle(json.loads(text))
            self.closes[connection.close_code or 1006] += 1
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def speak(self, connection: ClientConnection) -> None:
        while True:
            await connection.send(json.dumps(await self.outgoing.get()))
            await asyncio.sleep(PACE)

    async def insist(self) -> None:
        """What has no answer yet is asked again: the same key is the same task."""
        while True:
            for key in self.asked.keys() - self.accepted.keys() - self.sent:
                self.ask(key)
            for task_id in self.wants_away - self.ended.keys():
                self.outgoing.put_nowait({"action": "cancel", "task_id": task_id})
            await asyncio.sleep(ASK_AGAIN)

    def ask(self, key: str) -> None:
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
        elif kind == "ack":
            self.accepted[message["request_key"]] = task_id
            self.attached.add(task_id)
        elif kind == "task":
            self.attach(task_id)
        elif "kind" in message:
            self.note(message)
        elif kind == "error":
            self.complaints[message["code"]] += 1
            self.sent.discard(message.get("request_key") or "")
            # not attached after all, perhaps: the next connection, or the next notice, tries again
            self.attached.discard(task_id)

    def note(self, event: dict[str, Any]) -> None:
        """An event as it came, nothing dropped and nothing put in order: that is what is tested."""
        self.seen[event["task_id"]].append(event["seq"])
        if event["kind"] in ENDS:
            self.ended[event["task_id"]] = event["kind"]

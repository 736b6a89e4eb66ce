"""Thirty tasks of one user in every state, with the logs that a worker writes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from generation import services
from generation.choices import Basis, InterruptReason, Step
from generation.error_codes import ErrorCode
from generation.models import GenerationTask, Worker
from generation.services import Boundary, Claim, Fraction
from tests.factories import claim_one, fail, finish, interrupt, settle, store, submit
from tests.pictures import picture

PROMPTS = (
    "A mountain temple on a snowy night, one warm window, thin smoke over the roofs, ink wash",
    "雪夜山寺，一窗暖灯，屋顶薄烟，远山如黛，水墨淡彩，留白，宣纸质感，细腻的笔触",
    "portrait of an old fisherman mending a net by the harbour at dusk, soft side light, 85 mm",
    "LiuJuan",
)
LONG_PROMPTS = (
    f"{PROMPTS[0]}, seen from the path below with ropes, lanterns and gulls; " * 6,
    f"{PROMPTS[1]}，檐下风铃与石阶上的脚印，远处江面一叶扁舟；" * 6,
)
SIZES = ((512, 512), (768, 512), (1024, 1024), (512, 768))


@dataclass
class BusyTaskList:
    """Writes the tasks one after the other; `now` moves on by a minute with each."""

    owner: User
    worker: Worker
    now: datetime
    count: int = 0

    def fill(self) -> None:
        for _each in range(15):
            self.completed()
        for _each in range(3):
            self.completed(n=4)
        for _each in range(2):
            self.completed(interruptions=1)
            self.failed()
        self.cancelled()
        running = [self.submit(n=4), self.submit()]
        queued = [self.submit() for _each in range(5)]
        assert len(running) + len(queued) + 23 == 30
        self.draw(self.claim(), picture=1)
        self.draw(self.claim(interruptions=1), stored=False)

    def fill_mixed(self) -> None:
        """No queue that is folded; up to four pictures, and two long prompts."""
        for _each in range(9):
            self.completed()
        for prompt in LONG_PROMPTS:
            self.completed(prompt=prompt)
        for n in (2, 3, 4, 4):
            self.completed(n=n)
        for _each in range(3):
            self.completed(interruptions=1)
        for _each in range(4):
            self.failed()
        for _each in range(3):
            self.cancelled()
        running = [self.submit(n=4), self.submit()]
        queued = [self.submit() for _each in range(3)]
        assert len(running) + len(queued) + 25 == 30
        self.draw(self.claim(), picture=1)
        self.draw(self.claim(interruptions=1), stored=False)

    def submit(self, **asked: Any) -> GenerationTask:
        self.count += 1
        self.now += timedelta(minutes=1)
        asked = {"prompt": PROMPTS[self.count % 4], "size": SIZES[self.count // 4 % 4], **asked}
        return submit(self.owner, self.now, request_key=uuid.uuid4(), **asked)

    def claim(self, interruptions: int = 0) -> Claim:
        for _each in range(interruptions):
            claim = claim_one(self.worker, self.now)
            interrupt(claim, InterruptReason.LEASE_EXPIRED, self.now)
            settle(claim, self.now)
        return claim_one(self.worker, self.now)

    def completed(self, n: int = 1, interruptions: int = 0, **asked: Any) -> None:
        self.submit(n=n, **asked)
        claim = self.claim(interruptions)
        for number in range(1, n + 1):
            self.draw(claim, picture=number)
        finish(claim, self.now)
        settle(claim, self.now)

    def failed(self) -> None:
        self.submit()
        claim = self.claim()
        self.draw(claim, stored=False)
        fail(claim, self.now, ErrorCode.MODEL_ERROR)
        settle(claim, self.now)

    def cancelled(self) -> None:
        self.submit()
        claim = self.claim()
        self.draw(claim, stored=False)
        services.request_cancel(task_id=claim.task.pk, now=self.now)
        settle(claim, self.now)

    def draw(self, claim: Claim, picture: int = 1, *, stored: bool = True) -> None:
        """One picture of the task, or its first half."""
        self.pass_on(claim, boundary(Step.PREPARING, picture, seed=2_147_483_647))
        self.pass_on(claim, boundary(Step.GENERATING, picture, steps=9))
        for done in range(1, 10 if stored else 5):
            self.pass_on(claim, fraction(picture, done))
        if not stored:
            return
        self.pass_on(claim, boundary(Step.DECODING, picture))
        self.pass_on(claim, boundary(Step.FINISHING, picture))
        self.store(claim, picture)

    def pass_on(self, claim: Claim, seen: Boundary | Fraction) -> None:
        self.now += timedelta(milliseconds=431)
        services.record_progress(
            task_id=claim.task.pk, attempt=claim.task.attempt, seen=[seen], now=self.now
        )

    def store(self, claim: Claim, index: int) -> None:
        drawn = picture(claim.task.width, claim.task.height)
        store(claim, self.now, index, picture=drawn, seed=2_147_483_646 + index, demo=True)


def boundary(step: Step, image: int, **details: Any) -> Boundary:
    return Boundary(
        step=step, progress=50, basis=Basis.ESTIMATED, eta_seconds=3.2, image=image, details=details
    )


def fraction(image: int, done: int) -> Fraction:
    return Fraction(
        progress=50.0, eta_seconds=3.2, image=image, fraction=done / 9, done=done, total=9
    )

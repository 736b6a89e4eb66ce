"""Queries of polls and streams, independent of the number of old tasks."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection

from generation import selectors
from generation.choices import TaskStatus
from generation.models import GenerationTask, Worker
from tests.factories import submit
from tests.fallback.http_clients import HttpClient, OpenStream
from tests.query_plans import analyze, queries, queries_of_threads
from tests.rows import copy_task
from tests.socket.task_events import claim, progress

pytestmark = pytest.mark.usefixtures("model")


FEW = 17
"""Queries of one poll, however many tasks there are: the session, the user, the tasks, their logs
at once, the revision of the collection, the limits, and the state of queue, workers and models.
Fewer while the hub remembers how fast each model is."""


def of_the_log(questions: list[str]) -> list[str]:
    return [text for text in questions if 'FROM "generation_taskevent"' in text]


@pytest.fixture
def history(alice: User, bob: User, now: datetime) -> None:
    """Each of two people has three tasks that wait, and thousands that are over."""
    for owner in (alice, bob):
        over = {"status": TaskStatus.CANCELLED, "cancel_requested_at": now, "finished_at": now}
        task = submit(owner, now - timedelta(hours=1))
        GenerationTask.objects.filter(pk=task.pk).update(**over)
        copy_task(task, 1_999)
        for sent in (now - timedelta(days=1), now, now):
            submit(owner, sent)
    analyze("generation_generationtask")


def test_active_tasks_need_no_history(alice: User, bob: User, now: datetime, history: None) -> None:
    with queries() as questions:
        active = selectors.active_cursors(alice)
        found = selectors.tasks_to_find([alice.pk, bob.pk], since=now)
        follow = selectors.tasks_to_follow(alice, {active[0]["task_id"]: 1}, since=now)

    assert (len(active), len(follow)) == (3, 3)
    assert [len(found[owner.pk]) for owner in (alice, bob)] == [3, 3]
    assert len(questions) == 5
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    for question in questions:
        with connection.cursor() as cursor:
            cursor.execute(f"{explain} {question}")
            plan = str(cursor.fetchall())
        assert "Seq Scan" not in plan, plan
        if connection.vendor == "sqlite":
            assert "SCAN" not in plan, plan
            assert "(owner_id=? AND status=?)" in plan or "(owner_id=? AND created>?)" in plan, plan


async def test_a_poll_without_news_reads_no_log(quiet_hub: None, person: HttpClient) -> None:
    known = {await person.generate(): 1 for _each in range(20)}
    hello, *_frames = await person.poll(**known)

    async with queries_of_threads() as questions:
        _hello, *frames = await person.poll(since=hello["server_time"], **known)

    assert {frame["type"] for frame in frames} == {"live", "queue"}
    assert not of_the_log(questions)
    assert len(questions) <= FEW, questions


async def test_one_poll_reads_all_news(quiet_hub: None, worker: Worker, person: HttpClient) -> None:
    task_ids = [await person.generate() for _each in range(20)]
    await progress(await claim(worker), 3)

    async with queries_of_threads() as questions:
        frames = await person.poll(**{task_ids[0]: 2})

    assert len(of_the_log(questions)) == 1
    assert len(questions) <= FEW, questions
    events = [(frame["task_id"], frame["seq"]) for frame in frames if "kind" in frame]
    assert events == [
        *((task_ids[0], seq) for seq in range(3, 7)),
        *((task_id, 1) for task_id in task_ids[1:]),
    ]


async def test_a_stream_reads_only_the_logs_that_its_reader_lacks(
    quiet_hub: None, open_stream: OpenStream, person: HttpClient
) -> None:
    known = {await person.generate(): 1 for _each in range(20)}
    lacking = await person.generate()

    async with queries_of_threads() as questions:
        reader = await open_stream(known)
        for _each in range(21):
            await reader.until("live")

    assert len(of_the_log(questions)) == len(reader.seqs(lacking)) == 1
    assert len([text for text in questions if "generation_" in text]) <= 10, questions

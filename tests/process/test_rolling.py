"""Webs and workers are restarted and killed under load."""

from __future__ import annotations

import contextlib
import socket
import uuid
from typing import Any

import pytest

from generation.protocol.close_codes import CloseCode
from tests.demo_faults import SLOW, SOME_SECONDS
from tests.process.follower import Follower
from tests.process.worker_tasks import drawing_one_of
from tests.production import Production
from tests.studio import wait_until

SHORT: dict[str, Any] = {"size": "256x256", "steps": 4}
HELD = "at work until its worker leaves"
HELD_LATER = "at work until the second worker leaves"
FAULTS: list[dict[str, Any]] = [
    {"do": "hold", "step": 2, "seconds": 600, "times": times, "match": {"prompt_contains": prompt}}
    for prompt, times in ((HELD, 2), (HELD_LATER, 1))
]
"""Each call is held once; after it was handed back it is drawn."""

SITE: dict[str, Any] = {
    "webs": 2,
    "workers": 2,
    # calls go to the replicas in turn: none may wait behind a held one
    "replicas": 4,
    "faults": [SLOW, *FAULTS],
    "GENERATION_GRACE": "0.5",
    "GENERATION_STALL": "120",
}

AT_ONCE = 12
"""Prompts in the moment of a kill; fewer than a socket may send in a second."""

A_CROWD = 200
LOCALHOST = "127.0.0.1"


def test_a_busy_server_refuses_no_client(whole: Production) -> None:
    """A crowd comes back at once, after a restart or out of a tunnel."""
    web = whole.webs[0]
    web.freeze()
    try:
        with contextlib.ExitStack() as callers:
            for _each in range(A_CROWD):
                # refused connections are retried after 1 and after 3 s
                caller = socket.create_connection((LOCALHOST, web.port), timeout=2.5)
                callers.enter_context(caller)
    finally:
        web.thaw()


def test_a_rolling_restart_costs_nothing(whole: Production, person: str) -> None:
    people = [person, whole.user("second")]
    tasks: dict[str, Follower] = {}
    statuses = []
    with contextlib.ExitStack() as stack:
        followers = [
            stack.enter_context(Follower(whole, token, web=number % 2))
            for number, token in enumerate(people)
        ]
        for web in whole.webs:
            tasks |= {each.generate(**SHORT): each for each in followers}
            tasks |= {each.generate(**SOME_SECONDS): each for each in followers[:1]}
            statuses.append(web.stop())
            web.start()
        ends = [follower.until_over(task_id) for task_id, follower in tasks.items()]
        # from here on at most four calls, for the turn of a fifth is that of the first, which holds
        held = {each.generate(HELD, **SHORT): each for each in followers}
        for task_id, follower in held.items():
            # its hold is used up, and does not strike at the next attempt
            follower.until(task_id, "progressed")
        first = wait_until(lambda: drawing_one_of(whole, set(held)), what="one of these is drawn")
        (second,) = [worker for worker in whole.workers if worker is not first]
        statuses.append(first.stop())
        # the only worker that is left has to take it
        later = followers[0].generate(HELD_LATER, **SHORT)
        followers[0].until(later, "progressed")
        first.start()
        statuses.append(second.stop())
        second.start()
        held[later] = followers[0]
        ends += [follower.until_over(task_id) for task_id, follower in held.items()]
        broken_off = [
            each
            for task_id, follower in (tasks | held).items()
            for each in follower.interruptions(task_id)
        ]
    assert statuses == [0, 0, 0, 0]
    assert {end["kind"] for end in ends} == {"completed"}
    assert {each["reason"] for each in broken_off} == {"handed_back"}
    assert len(broken_off) >= len(whole.workers)
    assert not any(each["counted"] for each in broken_off)
    codes = [code for follower in followers for code in follower.codes]
    # each web closed all its sockets
    assert set(codes) == {CloseCode.LEAVING}
    assert len(codes) >= len(followers)


@pytest.mark.parametrize("stored", [1, AT_ONCE // 2])
def test_prompts_during_a_kill_are_one_task(whole: Production, person: str, stored: int) -> None:
    """Some are stored and some are not; none was answered, so all are sent again."""
    prompts = [
        {"prompt": f"prompt {number}", "request_key": str(uuid.uuid4()), **SHORT}
        for number in range(AT_ONCE)
    ]
    keys = [prompt["request_key"] for prompt in prompts]
    made = "select count(*) from generation_generationtask where request_key = any(%s::uuid[])"
    with whole.connect(person) as unheard:
        for prompt in prompts:
            unheard.send(action="generate", **prompt)
        wait_until(lambda: whole.query(made, keys)[0][0] >= stored, what="the first are stored")
        whole.webs[0].kill()

    with Follower(whole, person, web=1) as follower:
        for prompt in prompts:
            follower.ask(**prompt)
        wait_until(lambda: follower.accepted.keys() == set(keys), what="each is accepted")
        ends = [follower.until_over(task_id) for task_id in follower.accepted.values()]
    whole.webs[0].start()
    assert len(set(follower.accepted.values())) == AT_ONCE
    assert {end["kind"] for end in ends} == {"completed"}
    assert whole.query(made, keys) == [(AT_ONCE,)]

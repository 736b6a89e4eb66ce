"""Several model servers: one dies, hangs, is drained or added while others draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.demo_faults import FAST, HELD, HELD_STEPS, SLOW, SOME_SECONDS
from tests.process.follower import Follower
from tests.production import Production, ServerPlan
from tests.studio import wait_until

SERVER = ServerPlan(replicas=2, speed=FAST, faults=[SLOW, HELD])
SITE: dict[str, Any] = {
    "workers": 2,
    "servers": {"first": SERVER, "second": SERVER},
    "GENERATION_STALL": "120",
}

SERVER_OF = """
select server.name from generation_modelslot slot
join generation_modelinstance instance on instance.id = slot.instance_id
join generation_modelserver server on server.id = instance.server_id
where slot.task_id = %s and slot.request_id is not null
"""
IMAGES = "select count(*) from generation_generatedimage where task_id = %s"
SET_DRAINING = "update generation_modelserver set draining = %s where name = %s"
ADD = "insert into generation_modelserver (name, url) values (%s, %s)"


def test_tasks_of_a_server_that_dies_end_elsewhere(whole: Production, person: str) -> None:
    with Follower(whole, person) as follower:
        tasks = [follower.generate(**SOME_SECONDS) for _each in range(3)]
        for task_id in tasks:
            follower.until(task_id, "progressed")
        whole.models["first"].kill()

        ends = [follower.until_over(task_id) for task_id in tasks]
    whole.models["first"].start()
    wait_until(lambda: sees_both(whole), what="it is used again")
    assert {end["kind"] for end in ends} == {"completed"}
    assert [whole.query(IMAGES, task_id) for task_id in tasks] == [[(1,)]] * len(tasks)


def test_an_abort_goes_to_the_server_with_the_call(whole: Production, person: str) -> None:
    with Follower(whole, person) as follower:
        held = [follower.generate(steps=HELD_STEPS, size="256x256") for _each in range(4)]
        for task_id in held:
            follower.until(task_id, "progressed")
        servers = {server_of(whole, task_id)() for task_id in held}

        ends = []
        for task_id in held:
            follower.send(action="cancel", task_id=task_id)
            ends.append(follower.until_over(task_id))
    assert servers == {"first", "second"}
    assert {end["kind"] for end in ends} == {"cancelled"}


def test_a_hanging_server_does_not_delay_the_others(whole: Production, person: str) -> None:
    frozen = whole.models["first"]
    with Follower(whole, person) as follower:
        frozen.freeze()
        try:
            wait_until(lambda: not sees(whole, "first"), what="nothing more is sent to it")
            ends = [follower.until_over(follower.generate(**SOME_SECONDS)) for _each in range(2)]
        finally:
            frozen.thaw()
    wait_until(lambda: sees_both(whole), what="it is used again")
    assert [(end["kind"], end["attempt"]) for end in ends] == [("completed", 1)] * 2


def test_a_server_is_drained_and_another_added_without_a_restart(
    whole: Production, person: str
) -> None:
    third = SERVER.program("third", whole.folder).start()
    try:
        whole.query(SET_DRAINING, True, "first")
        whole.query(SET_DRAINING, True, "second")
        whole.query(ADD, "third", third.url)
        with Follower(whole, person) as follower:
            task_id = follower.generate(**SOME_SECONDS)
            used = wait_until(server_of(whole, task_id), what="it is drawn")
            last = follower.until_over(task_id)
            whole.query("update generation_modelserver set enabled = false where name = 'third'")
            for name in ("first", "second"):
                whole.query(SET_DRAINING, False, name)
            later = follower.generate(**SOME_SECONDS)
            used_later = wait_until(server_of(whole, later), what="it is drawn")
            last_later = follower.until_over(later)
    finally:
        third.kill()
    assert used == "third"
    assert used_later in {"first", "second"}
    assert last["kind"] == last_later["kind"] == "completed"


def server_of(site: Production, task_id: str) -> Callable[[], str | None]:
    """Asks which server has the call of a task."""

    def ask() -> str | None:
        rows = site.query(SERVER_OF, task_id)
        return str(rows[0][0]) if rows else None

    return ask


def sees(site: Production, server: str) -> bool:
    """Whether a worker saw the model of this server ready."""
    ready = """
    select 1 from generation_modelinstance instance
    join generation_modelserver server on server.id = instance.server_id
    where server.name = %s and instance.ready
    """
    return bool(site.query(ready, server))


def sees_both(site: Production) -> bool:
    return sees(site, "first") and sees(site, "second")

"""Redis restarts, stays down, or is idle for long."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from time import monotonic
from typing import Any

from tests.demo_faults import SLOW, SOME_SECONDS
from tests.process.follower import Follower
from tests.production import Production
from tests.studio import wait_until

SITE: dict[str, Any] = {
    "webs": 2,
    "faults": [SLOW],
    "GENERATION_LEASE": "6",
    "GENERATION_STALL": "30",
}

LONG = 15.0
"""Seconds; the layer's connections give up waiting after as many."""

SILENCE = 13.0
"""Seconds; drivers that give up after five close idle sockets and end idle workers by then."""


def test_a_redis_restart_loses_no_event(whole: Production, person: str) -> None:
    with Follower(whole, person) as follower, Follower(whole, person, web=1) as elsewhere:
        drawn = follower.generate(**SOME_SECONDS)
        follower.until(drawn, "progressed")

        whole.redis.stop()
        time.sleep(1)
        whole.redis.start()

        assert follower.until_over(drawn)["kind"] == "completed"
        assert_notices_arrive(whole, follower, elsewhere)
    assert follower.codes == elsewhere.codes == []


def test_tasks_go_on_without_redis(whole: Production, person: str) -> None:
    with Follower(whole, person) as follower, Follower(whole, person, web=1) as elsewhere:
        drawn = follower.generate(**SOME_SECONDS)
        follower.until(drawn, "progressed")

        whole.redis.stop()
        gone = monotonic()
        asked = follower.generate("asked while it is away", size="256x256")

        for task_id in (drawn, asked):
            assert follower.until_over(task_id)["kind"] == "completed"
        wait_until(says_everywhere(whole, "down"), what="every web says that the layer is down")
        wait_until(lambda: monotonic() - gone > LONG, what="Redis was away for long")
        whole.redis.start()
        wait_until(says_everywhere(whole, "ok"), what="every web says that the layer is back")
        assert_notices_arrive(whole, follower, elsewhere)
    assert follower.codes == elsewhere.codes == []


def test_an_idle_site_is_awake_at_once(whole: Production, person: str) -> None:
    with Follower(whole, person) as follower, Follower(whole, person, web=1) as elsewhere:
        time.sleep(SILENCE)

        assert_notices_arrive(whole, follower, elsewhere)
    assert follower.codes == elsewhere.codes == []
    assert all(program.alive for program in whole.programs)


def says_everywhere(site: Production, word: str) -> Callable[[], bool]:
    return lambda: all(web.readyz()["layer"] == word for web in site.webs)


def assert_notices_arrive(site: Production, first: Follower, second: Follower) -> None:
    """The notice of a task of another socket comes by the layer alone: no poll replaces it."""
    wait_until(lambda: listening(site) == [2, 1], what="webs and worker listen to Redis again")
    assert_noticed(first, second)
    assert_noticed(second, first)


def assert_noticed(asker: Follower, reader: Follower) -> None:
    task_id = asker.generate("noticed elsewhere", size="256x256")
    wait_until(lambda: task_id in reader.noticed, what="the other web process sends a notice")
    asker.until_over(task_id)


def listening(site: Production) -> list[int]:
    """How many processes are in the newest owner's group, and how many wait to be woken."""
    ((owner,),) = site.query("select max(id) from auth_user")
    groups = pubsub(site, "channels", f"*__group__owner.{owner}")
    # the channel of the workers carries the installation
    channels = pubsub(site, "channels", "generation*")
    answer = pubsub(site, "numsub", *groups, *channels)
    return [int(count) for count in answer[1::2]]


def pubsub(site: Production, *question: str) -> list[str]:
    ask = ["redis-cli", "-p", str(site.redis.port), "pubsub", *question]
    return subprocess.run(ask, capture_output=True, text=True, check=True).stdout.split()

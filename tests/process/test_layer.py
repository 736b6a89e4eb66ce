"""A missing or hanging channel layer delays pages and breaks nothing."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection

from liujuan_site.redis_layer import redis_host
from tests.contract.demo_process import DemoProcess
from tests.demo_faults import FAST
from tests.settings import SettingsOf
from tests.stores import Redis
from tests.studio import Studio, free_port, readyz, wait_until


@pytest.fixture(params=["gone", "hanging"])
def redis_port(request: pytest.FixtureRequest) -> Iterator[int]:
    """A port without Redis: closed, or accepting connections without a response."""
    if request.param == "gone":
        yield free_port()
        return
    with socket.create_server(("127.0.0.1", 0), backlog=128) as silent:
        yield silent.getsockname()[1]


@pytest.fixture
def model_server() -> Iterator[DemoProcess]:
    server = DemoProcess("--speed", str(FAST))
    yield server
    server.stop()


def test_tasks_need_no_layer(tmp_path: Path, redis_port: int, model_server: DemoProcess) -> None:
    studio = Studio(
        tmp_path / "data",
        REDIS_URL=f"redis://127.0.0.1:{redis_port}/0",
        EMBEDDED_WORKER="1",
        XINFERENCE_URL=model_server.url,
    )
    try:
        studio.start()
        with studio.connect(studio.token()) as watcher:
            task_id = watcher.generate(size="256x256")
            result = watcher.until_type("result", "error", "cancelled")

            assert (result["type"], result["attempt"]) == ("result", 1)
            seqs = [event["seq"] for event in watcher.events(task_id)]
            assert seqs == list(range(1, result["seq"] + 1))
        wait_until(lambda: readyz(studio.url)[1]["layer"] == "down", what="readyz names it")
    finally:
        studio.stop()


async def test_a_cancellation_while_redis_is_written_to_arrives(tmp_path: Path) -> None:
    """In whichever turn of the loop it comes; and the layer goes on."""
    redis = Redis(tmp_path).start()
    layer = RedisPubSubChannelLayer(hosts=[redis_host(redis.url)])

    async def send_and_go_on() -> None:
        await layer.group_send("group", {"type": "test"})
        await asyncio.Event().wait()

    try:
        for turns in range(20):
            sending = asyncio.create_task(send_and_go_on())
            for _turn in range(turns):
                await asyncio.sleep(0)
            sending.cancel()
            ended, _ = await asyncio.wait({sending}, timeout=1)
            sending.cancel()
            assert ended, f"cancelled after {turns} turns, and it goes on"

        channel = await layer.new_channel()
        await layer.send(channel, {"type": "heard"})
        assert await layer.receive(channel) == {"type": "heard"}
    finally:
        await layer.flush()
        redis.stop()


def test_every_kind_of_address_has_such_connections() -> None:
    kept = [
        redis_host(f"{scheme}://localhost/0")["connection_class"]
        for scheme in ("redis", "rediss", "unix")
    ]
    assert len({each.send_packed_command for each in kept}) == 1
    assert issubclass(kept[1], SSLConnection)
    assert issubclass(kept[2], UnixDomainSocketConnection)
    assert redis_host("redis://localhost/0?socket_timeout=3")["socket_timeout"] == 3


async def test_two_installations_share_one_redis(tmp_path: Path, settings_of: SettingsOf) -> None:
    redis = Redis(tmp_path).start()
    ours, theirs = (
        settings_of(REDIS_URL=redis.url, SECRET_KEY=f"{key} is long enough")
        for key in ("the first key", "another key")
    )
    layers = []
    for settings in (ours, theirs):
        config = settings["CHANNEL_LAYERS"]["default"]["CONFIG"]
        layers.append(RedisPubSubChannelLayer(**config))
    our_layer, their_layer = layers
    waking = asyncio.create_task(our_layer.receive(ours["WORKER_CHANNEL"]))
    channel = await our_layer.new_channel()
    await our_layer.group_add("owner.1", channel)
    try:
        await asyncio.sleep(0)
        await their_layer.group_send("owner.1", {"type": "theirs"})
        await their_layer.send(theirs["WORKER_CHANNEL"], {"type": "theirs"})
        # behind them on the same Redis: whatever was heard of theirs came first
        await our_layer.group_send("owner.1", {"type": "ours"})
        while not waking.done():
            await our_layer.send(ours["WORKER_CHANNEL"], {"type": "ours"})
            await asyncio.wait({waking}, timeout=0.1)

        assert await our_layer.receive(channel) == {"type": "ours"}
        assert waking.result() == {"type": "ours"}
    finally:
        waking.cancel()
        for layer in layers:
            await layer.flush()
        redis.stop()

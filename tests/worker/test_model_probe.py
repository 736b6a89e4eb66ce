"""Status of the model server per model, and the key in use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import override_settings

from generation import services
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.models import ModelInstance, ModelServer, ModelSlot, ModelState, Worker
from generation.readiness import Health, worker_report
from generation.worker import model_probe
from generation.worker.abandoned_calls import was_replaced
from generation.worker.model_probe import ModelProbe
from generation.xinference import XinferenceClient
from tests.conftest import MODEL
from tests.contract.odd_server import OddServer, response
from tests.contract.odd_server import serving as served_by
from tests.factories import default_server, refuse_key, submit
from tests.worker.abandoned_calls import abandoned

# `running_hub` gives the connections back
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("running_hub")]

SLASHED = "team/second"
REFUSED = response({"detail": "Could not validate credentials"}, "401 Unauthorized")


@pytest.fixture
async def server() -> AsyncIterator[OddServer]:
    async with served_by(OddServer([MODEL, SLASHED])) as server:
        yield server


@pytest.fixture
async def client(server: OddServer) -> AsyncIterator[XinferenceClient]:
    client = XinferenceClient(base_url=server.url)
    yield client
    await client.aclose()


async def probe_of(client: XinferenceClient) -> ModelProbe:
    server_id = await database_sync_to_async(default_server)(clock.now())
    return ModelProbe(client, server_id=server_id, server="default")


async def states() -> dict[str, tuple[bool, str]]:
    rows = ModelState.objects.values_list("name", "ready", "error_code")
    return {name: (ready, code) async for name, ready, code in rows}


GOOD = (True, "")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (response({"detail": "Not Found"}, "404 Not Found"), ErrorCode.MODEL_NOT_FOUND),
        (response({"detail": "no"}, "403 Forbidden"), ErrorCode.MODEL_FORBIDDEN),
        (REFUSED, ErrorCode.MODEL_FORBIDDEN),
        (response(b"<html></html>", "500 No"), ErrorCode.MODEL_ERROR),
        (response(b"<html></html>"), ErrorCode.MODEL_ERROR),
        (response(b"null"), ErrorCode.MODEL_ERROR),
        (response([{"model_address": 7}]), ErrorCode.MODEL_ERROR),
        (response(b"[" + b"[]," * 500_000 + b"0]"), ErrorCode.MODEL_ERROR),
        (b"", ErrorCode.MODEL_DOWN),
        (None, ErrorCode.MODEL_DOWN),
    ],
    ids=["404", "403", "401", "500", "HTML", "null", "address", "long", "dropped", "hangs"],
)
async def test_a_failing_model_affects_no_other(
    server: OddServer,
    client: XinferenceClient,
    caplog: pytest.LogCaptureFixture,
    answer: bytes | None,
    code: ErrorCode,
) -> None:
    caplog.set_level("INFO")
    server.answers = {f"replicas {SLASHED}": answer}
    watch = await probe_of(client)

    assert await watch.probe()
    asked = server.asked.count(f"replicas {SLASHED}")
    # its pause of a second is short on a busy machine
    backoff = watch.backoffs[SLASHED]
    watch.backoffs[SLASHED] = replace(backoff, again_at=backoff.again_at + 60)
    assert await watch.probe()

    assert await states() == {MODEL: GOOD, SLASHED: (False, code.value)}
    assert (await ModelState.objects.aget(name=SLASHED)).error_detail
    assert server.asked.count(f"replicas {SLASHED}") == asked
    assert len(lines_of(caplog, "WARNING")) == 1


def lines_of(caplog: pytest.LogCaptureFixture, level: str) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelname == level and SLASHED in record.getMessage()
    ]


@pytest.mark.parametrize(
    ("away", "pause"), [(0.0, 0.0), (30.0, 5.0), (120.0, 20.0), (86_400.0, 60.0)]
)
def test_a_server_that_is_away_for_longer_is_asked_less_often(away: float, pause: float) -> None:
    assert model_probe.absence_pause(away) == pause


async def test_a_server_that_is_away_is_asked_at_once_on_request(
    server: OddServer, client: XinferenceClient
) -> None:
    server.answers = {"models": response(b"", "502 Bad Gateway")}
    watch = await probe_of(client)

    await watch.probe()
    assert watch.away_since is not None
    watch.away_since -= 86_400
    await watch.probe()
    assert not watch.is_due
    watch.hurry()
    assert watch.is_due

    server.answers = {}
    assert await watch.probe()
    assert watch.away_since is None
    assert watch.is_due


async def test_a_failing_model_is_asked_less_often(
    server: OddServer, client: XinferenceClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    server.answers = {f"replicas {SLASHED}": response(b"null")}
    watch = await probe_of(client)
    pauses = []

    for _ in range(8):
        await watch.probe()
        trouble = watch.backoffs[SLASHED]
        pauses.append(trouble.pause)
        watch.backoffs[SLASHED] = model_probe.ModelBackoff(trouble.model, trouble.pause, 0.0)
    server.answers = {}
    await watch.probe()

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert await states() == {MODEL: GOOD, SLASHED: GOOD}
    assert len(lines_of(caplog, "WARNING")) == len(lines_of(caplog, "INFO")) == 1


@pytest.mark.parametrize("place", ["models", "instances"])
async def test_a_refused_key_stops_all_models(
    server: OddServer, client: XinferenceClient, place: str
) -> None:
    watch = await probe_of(client)
    assert await watch.probe()
    server.answers = {place: REFUSED}

    assert not await watch.probe()

    assert {code for _ready, code in (await states()).values()} == {ErrorCode.KEY_REFUSED}


async def test_one_model_is_probed_alone(server: OddServer, client: XinferenceClient) -> None:
    server.answers = {f"replicas {SLASHED}": response(b"null")}

    model = await client.image_model(MODEL)
    troubled = await client.image_model(SLASHED)

    assert model is not None
    assert model.ready
    assert troubled is not None
    assert not troubled.ready
    assert await client.image_model("nobody") is None
    assert server.asked.count(f"replicas {SLASHED}") == 1


@pytest.mark.parametrize("replicas", [response(b"null"), response([]), response([{}])])
async def test_an_unknown_process_counts_as_the_same(
    server: OddServer, client: XinferenceClient, replicas: bytes
) -> None:
    """Its call may still run: a slot is not given away on a guess."""
    server.answers = {f"replicas {MODEL}": replicas}

    assert not await was_replaced(client, abandoned(None, identity="127.0.0.1:1", stall=1.0))


async def test_identity_has_every_address(server: OddServer, client: XinferenceClient) -> None:
    addresses = [f"[fd00:1234:5678:9abc::{k:04x}]:{40_000 + k}" for k in range(64)]
    replicas = [{"status": "READY", "model_address": address} for address in addresses]
    server.answers = {
        "instances": response([server.instance(MODEL, replica=10**9)]),
        "replicas": response(replicas),
    }

    assert await (await probe_of(client)).probe()

    state = await ModelState.objects.aget(name=MODEL)
    assert (state.replicas, state.slots) == (64, 64)
    instance = await ModelInstance.objects.aget(model=MODEL)
    assert instance.identity.split(",") == sorted(addresses)
    assert await ModelSlot.objects.filter(model=MODEL).acount() == 64


def queue_of(length: int) -> bytes:
    """What the metrics port of its worker answers while so many calls run or wait."""
    return response(f'xinference:model_serve_count{{model_uid="{MODEL}"}} {length}\n'.encode())


async def instance_of(name: str) -> ModelInstance:
    return await ModelInstance.objects.aget(model=name)


async def test_calls_of_other_programs_are_told_from_ours(
    server: OddServer, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = {
        "instances": response([server.instance(name, replica=4) for name in server.models]),
        "replicas": response([{"status": "READY", "model_address": f"h:{k}"} for k in range(4)]),
        "metrics": queue_of(0),
    }
    client = XinferenceClient(base_url=server.url, metrics_url=server.url)
    watch = await probe_of(client)
    assert await watch.probe()
    worker = await Worker.objects.acreate(
        host="h", pid=1, started=clock.now(), last_seen=clock.now()
    )
    await database_sync_to_async(submit)(alice, clock.now())
    assert await database_sync_to_async(services.claim)(worker_id=worker.pk, now=clock.now())

    server.answers["metrics"] = queue_of(3)
    assert await watch.probe()
    instance = await instance_of(MODEL)
    assert (instance.other_calls, instance.slots, instance.replicas) == (2, 2, 4)
    # a model that the metrics do not name
    assert (await instance_of(SLASHED)).other_calls is None
    assert (await instance_of(SLASHED)).slots == 4

    server.answers["metrics"] = response(b"", "503 Service Unavailable")
    for _each in range(2):
        assert await watch.probe()
    instance = await instance_of(MODEL)
    assert (instance.ready, instance.other_calls, instance.slots) == (True, None, 4)

    server.answers["metrics"] = queue_of(1)
    assert await watch.probe()
    assert (await instance_of(MODEL)).other_calls == 0
    await client.aclose()
    lines = [line for line in caplog.messages if "model_queue" in line]
    assert [line.split()[0] for line in lines] == ["model_queue_down", "model_queue_back"]
    assert "503" in lines[0]


async def test_bad_lists_leave_no_model_ready(server: OddServer, client: XinferenceClient) -> None:
    await Worker.objects.acreate(host="h", pid=1, started=clock.now(), last_seen=clock.now())
    watch = await probe_of(client)
    assert await watch.probe()
    assert (await ready()).ok
    server.answers = {f"replicas {SLASHED}": response(b"null")}
    assert await watch.probe()
    report = await ready()
    assert not report.ok
    assert SLASHED in report.detail
    assert MODEL not in report.detail
    for place in ("models", "instances"):
        for answer in (response(b"null"), response(b"[" * 60_000), response([[]])):
            server.answers = {place: answer}

            assert not await watch.probe()

            assert {code for _ready, code in (await states()).values()} == {ErrorCode.MODEL_DOWN}
            assert MODEL in (await ready()).detail


async def ready() -> Health:
    """What `/readyz` says of the models."""
    return (await database_sync_to_async(worker_report)())["models"]


async def test_a_refusal_is_per_server(server: OddServer, client: XinferenceClient) -> None:
    watch = await probe_of(client)
    watch.early = False
    with override_settings(XINFERENCE_URL="http://wrong:9997", XINFERENCE_API_KEY="xf-1"):
        await refuse()
        assert not await watch.probe()
        assert server.asked == []

    with override_settings(XINFERENCE_URL=server.url, XINFERENCE_API_KEY="xf-1"):
        assert await watch.probe()
        assert await states() == {MODEL: GOOD, SLASHED: GOOD}

    with override_settings(XINFERENCE_URL="http://wrong:9997", XINFERENCE_API_KEY="xf-1"):
        # a worker that was not started again yet
        assert not await watch.probe()


async def refuse() -> None:
    await database_sync_to_async(refuse_key)(clock.now())


async def test_a_start_tries_the_key_again(server: OddServer, client: XinferenceClient) -> None:
    await refuse()
    running = await probe_of(client)
    running.early = False
    assert not await running.probe()

    assert await (await probe_of(client)).probe()

    assert await running.probe()
    assert await states() == {MODEL: GOOD, SLASHED: GOOD}


async def test_crash_loops_try_once_a_minute(server: OddServer, client: XinferenceClient) -> None:
    """Ten bad tries in five minutes ban the address for an hour."""
    server.answers = {"models": REFUSED}

    for _ in range(20):
        assert not await (await probe_of(client)).probe()

    # the one that was refused at first, and the careful one
    assert server.asked == ["models", "models"]


async def test_only_one_worker_tries_again(server: OddServer, client: XinferenceClient) -> None:
    server.answers = {"models": REFUSED}
    await refuse()
    await ModelServer.objects.aupdate(refused_until=clock.now() - timedelta(seconds=1))
    watches = [await probe_of(client) for _ in range(5)]

    for watch in watches:
        watch.early = False
        assert not await watch.probe()

    assert server.asked == ["models"]


async def test_operators_ask_again(server: OddServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.models = [MODEL]
    with override_settings(XINFERENCE_URL=server.url, XINFERENCE_API_KEY="xf-1"):
        await refuse()
        server.answers = {"models": REFUSED}
        with pytest.raises(CommandError, match="No model is ready"):
            await ask_model_server()
        assert "key_refused" in capsys.readouterr().out

        server.answers = {}
        with pytest.raises(CommandError, match="less than a minute"):
            await ask_model_server()
        await ModelServer.objects.aupdate(key_tried_at=clock.now() - timedelta(seconds=61))
        await ask_model_server()

    assert capsys.readouterr().out == f"{MODEL}: ready\n"
    assert await states() == {MODEL: GOOD}
    assert server.asked.count("models") == 2


async def ask_model_server() -> None:
    """Run the command in a thread of its own, as it starts an event loop."""

    def run() -> None:
        try:
            call_command("ask_model_server")
        finally:
            connections.close_all()

    await asyncio.to_thread(run)

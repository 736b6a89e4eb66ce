"""Model lists of a server with odd fields, odd names and too many models."""

from __future__ import annotations

import pytest

from generation.xinference import XinferenceClient
from generation.xinference.model_list import MAX_LISTED_MODELS, MAX_REPLICAS
from tests.contract.demo_process import MODEL
from tests.contract.odd_answers.odd_bodies import JSON_VALUES
from tests.contract.odd_server import OddServer, response
from tests.contract.served_models import served_models


async def test_odd_model_fields_are_bounded(server: OddServer, client: XinferenceClient) -> None:
    for field in ("replica", "replica_statuses", "status", "model_ability", "n_worker"):
        for value in JSON_VALUES:
            odd = (
                f'[{{"model_uid": "{MODEL}", "model_ability": ["text2image"], "{field}": {value}}}]'
            )
            server.answers = {"instances": response(odd.encode())}
            for model in await served_models(client):
                assert 1 <= model.replicas <= MAX_REPLICAS, odd

    for count in (10**9, 200_000, MAX_REPLICAS + 1):
        server.answers = {"instances": response([server.instance(MODEL, replica=count)])}
        (model,) = await served_models(client)
        assert (model.ready, model.replicas) == (True, MAX_REPLICAS)


UNUSABLE_NAMES = [
    *("", ".", "..", "a\0b", "a\nb", "\x1b[31m", "\ud800", "x" * 201, "\u202eabc"),
    *(None, 7, True, ["a"], {"a": 1}),
]


async def test_a_name_that_nothing_can_hold_is_left_out_and_the_others_stay(
    server: OddServer, client: XinferenceClient, caplog: pytest.LogCaptureFixture
) -> None:
    odd = [server.instance(MODEL) | {"model_uid": name} for name in UNUSABLE_NAMES]
    server.answers = {
        "instances": response([*odd, server.instance(MODEL), server.instance(MODEL, replica=9)]),
        "models": response([{"id": name} for name in UNUSABLE_NAMES] + [server.card(MODEL)]),
    }

    for _ in range(3):
        (model,) = await served_models(client)

    assert (model.name, model.ready, model.replicas) == (MODEL, True, 1)
    assert "a\nb" not in caplog.text
    assert caplog.text.count("model_left_out") <= 1


@pytest.mark.parametrize("name", ["x" * 200, "模型/v2", "a b?c#d%2F", "猫" * 200])
async def test_every_other_name_can_be_asked_for(server: OddServer, name: str) -> None:
    server.models = [name]
    client = XinferenceClient(base_url=server.url)

    (model,) = await served_models(client)
    assert await client.abort(model=name, request_id=name)
    await client.aclose()

    assert (model.name, model.ready) == (name, True)
    assert f"replicas {name}" in server.asked


@pytest.mark.parametrize(
    ("replicas", "ready", "count"),
    [
        (("READY", "TERMINATING"), True, 1),
        (("TERMINATING", "READY", "READY"), True, 2),
        (("TERMINATING", "TERMINATING"), False, 2),
        ((), False, 2),
    ],
    ids=["one of two", "two of three", "none", "not named"],
)
async def test_a_model_works_while_one_of_its_replicas_does(
    server: OddServer,
    client: XinferenceClient,
    replicas: tuple[str, ...],
    ready: bool,
    count: int,
) -> None:
    """The server says ERROR of the whole as soon as one replica is gone."""
    statuses = [{"replica_id": number, "status": each} for number, each in enumerate(replicas)]
    instance = server.instance(
        MODEL, status="ERROR", replica=len(replicas) or 2, replica_statuses=statuses
    )
    server.answers = {"instances": response([instance])}

    (model,) = await served_models(client)

    assert (model.ready, model.replicas) == (ready, count)


async def test_too_many_models_are_cut(server: OddServer, client: XinferenceClient) -> None:
    server.models = [f"model-{k:04}" for k in range(500)]

    names = [model.name for model in await client.listed(first="model-0499")]

    assert len(names) == MAX_LISTED_MODELS
    assert {"model-0000", "model-0499"} <= set(names)

"""A key counts as refused only if the model lists refuse it, not if a call does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from generation.error_codes import ErrorCode
from generation.exceptions import XinferenceKeyRefused, XinferenceRefused, XinferenceUnreachable
from generation.xinference import XinferenceClient
from tests.contract.demo_process import MODEL
from tests.contract.draw_requests import CALLS
from tests.contract.odd_server import OddServer, response, serving
from tests.contract.served_models import served_models

REFUSALS = [
    response({"detail": "Could not validate credentials"}, "401 Unauthorized"),
    response({"detail": "Too many failed attempts. IP temporarily banned."}, "429 No"),
]
PLACES = ("draw", "progress", "abort")
"""Calls that do not read the lists."""


@pytest.fixture
async def server() -> AsyncIterator[OddServer]:
    async with serving(OddServer([MODEL, "second"])) as server:
        yield server


@pytest.mark.parametrize("refusal", REFUSALS, ids=["401", "429"])
@pytest.mark.parametrize("place", PLACES)
async def test_a_call_that_is_refused_alone_is_forbidden_and_sent_once(
    server: OddServer, client: XinferenceClient, place: str, refusal: bytes
) -> None:
    """Each refusal may count as a bad try, and ten in five minutes ban the address."""
    server.answers = {place: refusal}

    for _ in range(5):
        with pytest.raises(XinferenceRefused) as caught:
            await CALLS[place](client)
        assert caught.value.code == ErrorCode.MODEL_FORBIDDEN

    assert [each.partition(" ")[0] for each in server.asked] == [place, "instances"]
    for model in await served_models(client):
        assert model.ready
    for other in {*PLACES} - {place}:
        await CALLS[other](client)


@pytest.mark.parametrize("place", PLACES)
async def test_a_key_that_the_lists_refuse_too_is_refused(
    server: OddServer, client: XinferenceClient, place: str
) -> None:
    server.answers = {place: REFUSALS[0], "instances": REFUSALS[0]}

    outcomes = await asyncio.gather(
        *(CALLS[place](client) for _ in range(4)), return_exceptions=True
    )

    assert [type(each) for each in outcomes] == [XinferenceKeyRefused] * 4
    assert server.asked.count("instances") == 1


async def test_failing_lists_refuse_no_key(server: OddServer, client: XinferenceClient) -> None:
    server.answers = {"draw": REFUSALS[0], "instances": b""}

    with pytest.raises(XinferenceUnreachable):
        await CALLS["draw"](client)


async def test_one_model_can_refuse_the_key(server: OddServer, client: XinferenceClient) -> None:
    server.answers = {"replicas second": REFUSALS[0]}

    for _ in range(3):
        found = {model.name: model.error_code for model in await served_models(client)}
        assert found == {MODEL: None, "second": ErrorCode.MODEL_FORBIDDEN}

    assert server.asked.count("replicas second") == 1


async def test_forbidden_progress_is_no_end(server: OddServer, client: XinferenceClient) -> None:
    """Its end means that the key is refused."""
    server.answers = {"progress": REFUSALS[0]}
    watching = asyncio.ensure_future(anext(client.watch("1")))

    while client.errors < 4:  # noqa: ASYNC110
        await asyncio.sleep(0.02)

    assert not watching.done()
    assert server.asked.count("progress") == 1
    watching.cancel()

"""Nonsense responses of the demo become errors of our tree in the client."""

from __future__ import annotations

import pytest

from demo_xinference.nonsense import KINDS
from generation.choices import Route
from generation.error_codes import ErrorCode
from generation.exceptions import PictureError, XinferenceFailed
from tests.contract.demo_process import MODEL
from tests.contract.draw_requests import drawn, small
from tests.contract.served_models import served_models


@pytest.mark.parametrize("kind", KINDS)
async def test_nonsense_at_one_place_ends_in_the_error_tree(demo, kind):
    places = ("models", "progress", "abort", "replicas", "draw")
    _, client = demo(faults=[{"do": "nonsense", "on": each, "kind": kind} for each in places])

    if kind == "absurd":
        # the lists can be read; the model that they name cannot be used, and says so
        (model,) = await served_models(client)
        assert (model.ready, model.error_code) == (False, ErrorCode.MODEL_ERROR)
    else:
        with pytest.raises(XinferenceFailed):
            await served_models(client)
    with pytest.raises(XinferenceFailed):
        await client.progress("1")
    with pytest.raises(XinferenceFailed):
        await client.abort(model=MODEL, request_id="1")
    for route in Route:
        with pytest.raises((PictureError, XinferenceFailed)):
            await drawn(client, small(), route)

"""What a model server says of its models, asked as a worker asks."""

from __future__ import annotations

import asyncio

from generation.exceptions import XinferenceError
from generation.xinference import ListedModel, ServedModel, XinferenceClient


async def served_models(client: XinferenceClient) -> list[ServedModel]:
    """Every listed model; one whose own responses cannot be used is not ready and says why."""
    listed = await client.listed()
    return list(await asyncio.gather(*(served_model(client, each) for each in listed)))


async def served_model(client: XinferenceClient, listed: ListedModel) -> ServedModel:
    try:
        return await client.served(listed)
    except XinferenceError as error:
        return client.unusable(listed, error)

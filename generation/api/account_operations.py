"""The user of the token, and the models that it may use."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponseBase
from ninja import Router

from generation import selectors
from generation.api.resources import answer, model_resource
from generation.api.schemas import Me, ModelList, document
from generation.api.token_auth import user_of
from generation.clock import clock
from generation.permissions import VIEW_ALL

router = Router(tags=["account"])


@router.get("/me", url_name="me", **document({200: Me}))
async def read_me(request: HttpRequest) -> HttpResponseBase:
    """The user of the token, and what is left of its limits."""

    def read() -> dict[str, Any]:
        user = user_of(request)
        allowances = selectors.allowances_of([user.pk], now=clock.now())[user.pk]
        return {
            "username": user.get_username(),
            "may_see_all": user.has_perm(VIEW_ALL),
            "limits": selectors.allowances_data(allowances),
        }

    return answer(await database_sync_to_async(read)())


@router.get("/models", url_name="models", **document({200: ModelList}))
async def list_models(request: HttpRequest) -> HttpResponseBase:
    """Models, the default one first, with the wait for a task submitted now."""
    models = await database_sync_to_async(selectors.model_offers)(
        user_of(request).pk, now=clock.now()
    )
    return answer({"models": [model_resource(model) for model in models]})

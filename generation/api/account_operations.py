"""The user of the token, and the models that it may use."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponseBase
from ninja import Router

from accounts.models import ApiToken
from generation import selectors
from generation.api.resources import answer, model_resource
from generation.api.schemas import Me, ModelList, document
from generation.api.token_auth import token_of, user_of
from generation.clock import clock
from generation.staff_permissions import VIEW_ALL

router = Router(tags=["account"])


@router.get("/me", url_name="me", **document({200: Me}))
async def read_me(request: HttpRequest) -> HttpResponseBase:
    """The user of the token, what is left of its limits, and what the token may do."""

    def read() -> dict[str, Any]:
        user = user_of(request)
        allowances = selectors.allowances_of([user.pk], now=clock.now())[user.pk]
        return {
            "username": user.get_username(),
            "may_see_all": user.has_perm(VIEW_ALL),
            "limits": selectors.allowances_data(allowances),
            "token": token_resource(token_of(request)),
        }

    return answer(await database_sync_to_async(read)())


def token_resource(token: ApiToken) -> dict[str, Any]:
    return {
        "name": token.name,
        "scope": token.scope,
        "created": round(token.created.timestamp(), 3),
        "expires_at": None if token.expires_at is None else round(token.expires_at.timestamp(), 3),
    }


@router.get("/models", url_name="models", **document({200: ModelList}))
async def list_models(request: HttpRequest) -> HttpResponseBase:
    """Models, the default one first, with the wait for a task submitted now."""
    models = await database_sync_to_async(selectors.model_offers)(
        user_of(request).pk, now=clock.now()
    )
    return answer({"models": [model_resource(model) for model in models]})

"""Operations on webhooks."""

from __future__ import annotations

import uuid
from typing import Any

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponseBase
from ninja import Query, Router

from accounts.client_address import client_address
from generation import selectors, services
from generation.api.resources import answer
from generation.api.schemas import document
from generation.api.token_auth import token_of, user_of
from generation.api.webhook_resources import (
    delivery_resource,
    new_webhook_resource,
    webhook_resource,
)
from generation.api.webhook_schemas import (
    CreatedWebhook,
    Delivery,
    DeliveryList,
    Webhook,
    WebhookChanges,
    WebhookFields,
    WebhookList,
)
from generation.clock import clock
from generation.models import WebhookEndpoint
from generation.protocol import read_webhook, read_webhook_changes
from generation.services import NewWebhook
from generation.views.json_api import json_body

router = Router(tags=["webhooks"])


@router.get("/webhooks", url_name="webhooks", **document({200: WebhookList}))
async def list_webhooks(request: HttpRequest) -> HttpResponseBase:
    """Webhooks of your account, oldest first, without those of single tasks."""
    found = await database_sync_to_async(selectors.webhooks_of)(user_of(request))
    return answer({"webhooks": [webhook_resource(each, request) for each in found]})


@router.post(
    "/webhooks",
    url_name="webhooks",
    **document({201: CreatedWebhook}, body=WebhookFields, problems=(413, 422)),
)
async def create_webhook(request: HttpRequest) -> HttpResponseBase:
    """Send messages about all tasks that you submit from now on."""
    wanted = read_webhook(json_body(request))

    def create() -> NewWebhook:
        # the first check of an address loads the HTTP client, too slow for the event loop
        return services.create_webhook(
            owner=user_of(request),
            values=services.webhook_values(wanted),
            now=clock.now(),
            token=token_of(request),
            address=client_address(request),
        )

    webhook = await database_sync_to_async(create)()
    resource = new_webhook_resource(webhook, request)
    return answer(resource, status=201, headers={"Location": resource["urls"]["self"]})


@router.get(
    "/webhooks/{uuid:webhook_id}", url_name="webhook", **document({200: Webhook}, problems=(404,))
)
async def read_one_webhook(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponseBase:
    """One webhook, also that of a task."""
    found = await database_sync_to_async(selectors.webhook_of)(user_of(request), webhook_id)
    return answer(webhook_resource(found, request))


@router.patch(
    "/webhooks/{uuid:webhook_id}",
    url_name="webhook",
    **document({200: Webhook}, body=WebhookChanges, problems=(404, 413, 422)),
)
async def change_webhook(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponseBase:
    """Change the address or the events, or turn it off and on."""
    changes = read_webhook_changes(json_body(request))

    def change() -> WebhookEndpoint:
        return services.change_webhook(
            owner=user_of(request),
            webhook_id=webhook_id,
            changes=changes,
            token=token_of(request),
            address=client_address(request),
        )

    changed = await database_sync_to_async(change)()
    return answer(webhook_resource(changed, request))


@router.delete(
    "/webhooks/{uuid:webhook_id}", url_name="webhook", **document({204: None}, problems=(404,))
)
async def delete_webhook(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponseBase:
    """Delete a webhook with its history."""
    await database_sync_to_async(services.delete_webhook)(
        owner=user_of(request), webhook_id=webhook_id, address=client_address(request)
    )
    return answer(None, status=204)


@router.post(
    "/webhooks/{uuid:webhook_id}/test",
    url_name="webhook_test",
    **document({202: Delivery}, problems=(404,)),
)
async def test_webhook(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponseBase:
    """Have a worker send a message of type `test`."""
    attempt = await database_sync_to_async(services.request_test)(
        owner=user_of(request), webhook_id=webhook_id, now=clock.now()
    )
    return answer(delivery_resource(attempt), status=202)


@router.get(
    "/webhooks/{uuid:webhook_id}/deliveries",
    url_name="deliveries",
    **document({200: DeliveryList}, problems=(404, 422)),
)
async def list_deliveries(
    request: HttpRequest,
    webhook_id: uuid.UUID,
    before: int | None = Query(None, description="`next` of the previous page", ge=0, lt=2**63),
    limit: int = Query(50, ge=1, le=100),
) -> HttpResponseBase:
    """What became of the messages of 30 days, newest first."""

    def read() -> dict[str, Any]:
        webhook = selectors.webhook_of(user_of(request), webhook_id)
        found, further = selectors.attempts_page(webhook, before=before, limit=limit)
        return {"deliveries": [delivery_resource(each) for each in found], "next": further}

    return answer(await database_sync_to_async(read)())


@router.post(
    "/webhooks/{uuid:webhook_id}/deliveries/{int:delivery_id}/resend",
    url_name="resend",
    **document({202: Delivery}, problems=(404,)),
)
async def resend(request: HttpRequest, webhook_id: uuid.UUID, delivery_id: int) -> HttpResponseBase:
    """Have a worker send the message once more, under the same `webhook-id`."""
    attempt = await database_sync_to_async(services.request_again)(
        owner=user_of(request), webhook_id=webhook_id, attempt_id=delivery_id, now=clock.now()
    )
    return answer(delivery_resource(attempt), status=202)

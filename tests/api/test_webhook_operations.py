"""Webhooks over the API: their life, their history, and whose they are."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from accounts.models import ApiToken
from accounts.tokens import revoke_token
from generation import limits
from generation.api import webhook_schemas as documents
from generation.models import WebhookCursor, WebhookEndpoint, Worker
from generation.worker.webhook_sender import WebhookSender
from tests.api.api_program import NewProgram, Program
from tests.factories import claim_one, complete
from tests.socket.tokens import token_of
from tests.webhooks.receiver import FAILING, Receiver

pytestmark = pytest.mark.django_db(transaction=True)
URL = "https://hooks.example/studio"


async def created(program: Program, **fields: Any) -> dict[str, Any]:
    response = await program.post("/webhooks", {"url": URL, **fields})
    assert response.status_code == 201, response.content
    webhook: dict[str, Any] = response.json()
    return webhook


async def test_the_life_of_a_webhook(program: Program) -> None:
    webhook = await created(program, events=["task.progressed", "task.completed", "task.claimed"])
    documents.CreatedWebhook.model_validate(webhook, strict=True)

    assert webhook["secret"].startswith("whsec_")
    assert webhook["events"] == ["task.claimed", "task.progressed"]
    del webhook["secret"]
    assert (await program.get(webhook["urls"]["self"])).json() == webhook
    assert (await program.get("/webhooks")).json() == {"webhooks": [webhook]}

    changes = {"url": f"{URL}/2", "events": [], "enabled": False}
    changed = (await program.call("PATCH", webhook["urls"]["self"], changes)).json()
    assert changed == {**webhook, **changes}
    assert (await program.call("PATCH", webhook["urls"]["self"], {})).json() == changed

    assert (await program.call("DELETE", webhook["urls"]["self"])).status_code == 204
    assert (await program.get(webhook["urls"]["self"])).status_code == 404


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"url": "http://hooks.example/"}, "webhook_url_invalid", "url"),
        ({"url": "https://user@hooks.example/"}, "webhook_url_invalid", "url"),
        ({"url": "https://169.254.169.254/latest"}, "webhook_url_invalid", "url"),
        ({"url": f"https://hooks.example/{'a' * 2000}"}, "webhook_url_invalid", "url"),
        ({"url": None}, "bad_message", "url"),
        ({"url": 1}, "bad_message", "url"),
        ({"events": ["task.exploded"]}, "webhook_events_invalid", "events"),
        ({"events": "task.claimed"}, "webhook_events_invalid", "events"),
        ({"secret": "whsec_short"}, "webhook_secret_invalid", "secret"),
        ({"secret": "whsec_" + "é" * 40}, "webhook_secret_invalid", "secret"),
        ({"color": "red"}, "unknown_field", "color"),
    ],
)
async def test_one_rule_for_accounts_and_tasks(
    program: Program, fields: dict[str, Any], code: str, field: str
) -> None:
    webhook = {"url": URL, **fields}

    for path, body in (("/webhooks", webhook), ("/tasks", {"prompt": "x", "webhook": webhook})):
        problem = (await program.post(path, body)).json()
        assert (problem["status"], problem["code"], problem["field"]) == (422, code, field)
    assert (await program.get("/tasks")).json()["tasks"] == []


async def test_an_account_has_few(program: Program) -> None:
    for _ in range(limits.MAX_WEBHOOKS):
        await created(program)

    refused = await program.post("/webhooks", {"url": URL})
    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_webhooks")


async def test_a_webhook_of_another_user_does_not_exist(
    program: Program, new_program: NewProgram, bob: User, receiver: Receiver
) -> None:
    webhook = await created(program)
    delivery = (await program.post(webhook["urls"]["test"])).json()
    other = await new_program(bob)
    missing = str(uuid.uuid4())

    assert (await other.get("/webhooks")).json() == {"webhooks": []}
    for method, path in (
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/test"),
        ("GET", "/deliveries"),
        ("POST", f"/deliveries/{delivery['id']}/resend"),
    ):
        body = {"enabled": False} if method == "PATCH" else None
        theirs = await other.call(method, f"/webhooks/{webhook['id']}{path}", body)
        none = await other.call(method, f"/webhooks/{missing}{path}", body)
        assert theirs.status_code == none.status_code == 404
        assert theirs.content == none.content
    assert (await program.get(webhook["urls"]["self"])).json()["enabled"]


async def test_a_token_that_may_read_changes_nothing(
    program: Program, alice: User, now: datetime
) -> None:
    webhook = await created(program)
    reader = Program(await token_of(alice, now, scope="read"))

    assert (await reader.get(webhook["urls"]["self"])).status_code == 200
    assert (await reader.post("/webhooks", {"url": URL})).status_code == 403
    assert (await reader.post(webhook["urls"]["test"])).status_code == 403


async def test_a_webhook_ends_with_the_token_that_set_its_address(
    program: Program, alice: User, now: datetime
) -> None:
    kept, redirected = [await created(program) for _ in range(2)]
    other = Program(await token_of(alice, now))
    await created(other)
    await other.call("PATCH", redirected["urls"]["self"], {"url": f"{URL}/2"})

    token = await ApiToken.objects.order_by("pk").alast()
    assert token is not None
    await sync_to_async(revoke_token)(owner=alice, number=token.pk, address="192.0.2.7")

    found = (await program.get("/webhooks")).json()["webhooks"]
    assert [each["id"] for each in found] == [kept["id"]]


async def test_a_test_and_its_repetition_are_in_the_history(
    program: Program, receiver: Receiver, sender: WebhookSender
) -> None:
    webhook = await created(program, url=receiver.url)
    receiver.answers = [FAILING]

    waiting = (await program.post(webhook["urls"]["test"])).json()
    assert (waiting["type"], waiting["task"], waiting["outcome"]) == ("test", None, None)
    (request,) = await receiver.received(1)
    content = request.verified(webhook["secret"])
    assert (content["type"], content["data"]) == ("test", {})

    sender.wake()
    delivery = await recorded(program, webhook, 1)
    documents.Delivery.model_validate(delivery, strict=True)
    assert (delivery["outcome"], delivery["status"], delivery["excerpt"]) == (
        "refused",
        500,
        "no.\n",
    )
    assert delivery["message_id"] == request.id

    again = f"{webhook['urls']['deliveries']}/{delivery['id']}/resend"
    assert (await program.post(again)).status_code == 202
    _first, second = await receiver.received(2)
    second.verified(webhook["secret"])
    assert second.id == request.id == f"msg_{webhook['id']}_1"
    assert (await recorded(program, webhook, 2))["outcome"] == "delivered"


async def recorded(program: Program, webhook: dict[str, Any], count: int) -> dict[str, Any]:
    """The newest delivery, once `count` have an outcome."""
    while True:
        page = (await program.get(webhook["urls"]["deliveries"])).json()
        if len([each for each in page["deliveries"] if each["outcome"]]) >= count:
            newest: dict[str, Any] = page["deliveries"][0]
            return newest


async def test_the_history_has_pages(program: Program, alice: User, now: datetime) -> None:
    webhook = await created(program)
    endpoint = await WebhookEndpoint.objects.aget()
    for number in range(3):
        await endpoint.attempts.acreate(kind="test", created=now, status=number)

    first = (await program.get(f"{webhook['urls']['deliveries']}?limit=2")).json()
    documents.DeliveryList.model_validate(first, strict=True)
    second = (
        await program.get(f"{webhook['urls']['deliveries']}?limit=2&before={first['next']}")
    ).json()

    assert [each["status"] for each in first["deliveries"]] == [2, 1]
    assert [each["status"] for each in second["deliveries"]] == [0]
    assert second["next"] is None
    for query in ("before=x", f"before={2**63}", "limit=0", "limit=101"):
        refused = await program.get(f"{webhook['urls']['deliveries']}?{query}")
        assert refused.status_code == 422


async def test_a_task_has_a_webhook_of_its_own(
    program: Program,
    receiver: Receiver,
    sender: WebhookSender,
    worker: Worker,
    model: str,
    media: None,
    now: datetime,
) -> None:
    secret = "whsec_" + "A" * 40
    fields = {"prompt": "x", "webhook": {"url": receiver.url, "secret": secret}}
    key = {"Idempotency_Key": "one"}

    response = await program.post("/tasks", fields, **key)
    task = response.json()
    documents.CreatedTask.model_validate(task, strict=True)
    assert (task["webhook"]["secret"], task["webhook"]["task"]) == (secret, task["id"])
    assert (await program.get("/webhooks")).json() == {"webhooks": []}

    repeated = await program.post("/tasks", fields, **key)
    assert (repeated.status_code, repeated.json()["id"]) == (200, task["id"])
    assert "webhook" not in repeated.json()
    other = {**fields, "webhook": {"url": f"{receiver.url}/2"}}
    refused = await program.post("/tasks", other, **key)
    assert (refused.status_code, refused.json()["code"]) == (422, "request_key_reused")

    await program.submit()
    running = await sync_to_async(claim_one)(worker, now)
    await sync_to_async(complete)(running, now)
    (request,) = await receiver.received(1)
    assert request.verified(secret)["data"]["id"] == task["id"]


async def test_a_webhook_that_is_off_misses_the_tasks_of_that_time(
    program: Program,
) -> None:
    webhook = await created(program)
    await program.submit()
    await program.call("PATCH", webhook["urls"]["self"], {"enabled": False})
    assert not await WebhookCursor.objects.aexists()
    await program.submit()
    await program.call("PATCH", webhook["urls"]["self"], {"enabled": True})
    assert not await WebhookCursor.objects.aexists()

    task = await program.submit()
    assert [str(each.task_id) async for each in WebhookCursor.objects.all()] == [task["id"]]

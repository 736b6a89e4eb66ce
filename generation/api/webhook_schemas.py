"""What the OpenAPI document says of webhooks."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Field

from generation import limits
from generation.api.schemas import Document, Task, TaskRequest, Time, one_of
from generation.choices import EventKind, WebhookOutcome

Type = Annotated[str, one_of([f"task.{kind}" for kind in EventKind.values])]


class WebhookFields(Document):
    url: Annotated[str, Field(max_length=limits.MAX_WEBHOOK_URL, examples=["https://…/hook"])]
    events: list[Type] | None = Field(
        None, description="sent besides those that end a task, which always are"
    )
    secret: str | None = Field(
        None, description="`whsec_` and 24 to 64 bytes in base64; absent: one is made"
    )


WEBHOOK = WebhookFields.model_json_schema()


class SubmittedTask(TaskRequest):
    webhook: Annotated[Any, Field(json_schema_extra={"anyOf": [WEBHOOK, {"type": "null"}]})] = None
    """Receives messages about this task."""


class WebhookUrls(Document):
    self: str
    deliveries: str
    test: str


class Webhook(Document):
    id: str
    url: str
    events: list[Type]
    task: str | None = Field(description="null: all tasks of the account")
    enabled: bool
    failing_since: Time | None
    off_at: Time | None = Field(description="when it was turned off because it failed")
    created: Time
    urls: WebhookUrls


class CreatedWebhook(Webhook):
    secret: str = Field(description="shown this once")


class WebhookList(Document):
    webhooks: list[Webhook]


class WebhookChanges(Document):
    url: str | None = None
    events: list[Type] | None = None
    enabled: bool | None = None


class Delivery(Document):
    id: int
    message_id: str = Field(description="the same for each attempt")
    type: str
    task: str | None = Field(description="null: a test")
    seq: int | None
    is_requested: bool
    created: Time
    started_at: Time | None = Field(description="null: it waits for a worker")
    seconds: float | None
    outcome: Annotated[str, one_of(WebhookOutcome.values)] | None
    status: int | None
    excerpt: str = Field(description="the beginning of the response")


class DeliveryList(Document):
    deliveries: list[Delivery]
    next: int | None = Field(description="`before` of the next page")


class CreatedTask(Task):
    webhook: CreatedWebhook | None = Field(None, description="if the request had one")

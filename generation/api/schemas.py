"""What the OpenAPI document says of requests and responses.

Requests are read by the protocol's own readers and checked by the services, so that no rule stands
twice; these classes only describe them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from accounts.models import TokenScope
from generation import limits
from generation.api.examples import EXAMPLES
from generation.choices import Basis, QueueReason, Step, TaskStatus
from generation.error_codes import ErrorCode


def one_of(values: Sequence[str]) -> Any:
    return Field(json_schema_extra={"enum": list(values)})


Status = Annotated[str, one_of(TaskStatus.values)]
StepName = Annotated[str, one_of(Step.values)]
BasisName = Annotated[str, one_of(Basis.values)]
Reason = Annotated[str, one_of(QueueReason.values)]
Code = Annotated[str, one_of(ErrorCode.values)]
Prompt = Annotated[str, Field(max_length=limits.MAX_PROMPT)]
Time = Annotated[float, Field(description="Unix seconds")]
Seed = Annotated[int, Field(ge=0, le=limits.MAX_SEED)]


class Document(Schema):
    model_config = ConfigDict(extra="forbid")


class TaskRequest(Document):
    """A submission; absent fields and null mean the defaults."""

    prompt: Annotated[Prompt, Field(min_length=1, examples=["a red paper umbrella in the rain"])]
    negative_prompt: Prompt | None = None
    model: str | None = None
    size: str | None = Field(None, examples=["512x512"])
    n: int | None = Field(None, ge=1, le=limits.MAX_IMAGES, description="number of pictures")
    steps: int | None = Field(None, ge=1, le=limits.MAX_STEPS)
    guidance: float | None = Field(None, ge=0, le=limits.MAX_GUIDANCE)
    seed: Seed | None = None
    parent: str | None = Field(None, description="id of the task that this one varies")


class Settings(Document):
    prompt: str
    negative_prompt: str
    model: str
    size: str
    n: int
    steps: int
    guidance: float
    seed: int | None = Field(description="of the first picture; null until it is drawn")


class Withheld(Document):
    """Why the files of a picture are not served; `url` and `thumbnail_url` then answer 403."""

    state: Literal["held", "hidden"] = Field(
        description="held until a reviewer approves it, or hidden by a reviewer"
    )
    reason: str = Field(description="in the language of the request; empty for a held one")
    note: str
    appeal: Literal["", "possible", "sent", "final"]


class Picture(Document):
    index: int
    width: int
    height: int
    seed: int
    demo: bool = Field(description="drawn by the demo model")
    favourite: bool
    url: str
    thumbnail_url: str
    settings_url: str
    withheld: Withheld | None = Field(description="null: its files are served")


class Position(Document):
    position: int = Field(description="in the queue, from 1")
    eta_seconds: float | None
    basis: BasisName
    reason: Reason


class Waiting(Document):
    reason: str
    until: Time


class Failure(Document):
    code: Code
    step: StepName
    message: str


class TaskUrls(Document):
    self: str
    events: str
    stream: str
    cancel: str
    retry: str
    page: str


class Task(Document):
    id: str
    seq: int = Field(description="number of its newest event")
    status: Status
    step: StepName
    progress: float = Field(ge=0, le=100)
    basis: BasisName
    eta_seconds: float | None
    attempt: int
    image: int
    cancel_requested: str | None = Field(description="when a running call stops")
    cancel_reason: str | None = Field(description="time_limit, or null if a user cancelled it")
    waiting: Waiting | None
    error: Failure | None
    submitted_at: Time | None
    claimed_at: Time | None
    ended_at: Time | None
    wait_seconds: float | None
    run_seconds: float | None
    queue: Position | None
    settings: Settings
    requested_seed: int | None
    parent: str | None
    created: Time
    cancel_after: Time | None = Field(description="it is cancelled then unless it is over")
    pictures: list[Picture]
    urls: TaskUrls


class TaskList(Document):
    tasks: list[Task]
    next: str | None = Field(description="`before` of the next page")


class Events(Document):
    events: list[dict[str, Any]] = Field(description="as on the socket (docs/protocol.md)")
    more: bool
    is_over: bool


class CancelAnswer(Document):
    answer: Literal["cancelled", "requested", "already_finished"]


class PictureSettings(Picture):
    task_url: str
    bytes: int
    format: str
    seconds: float
    parameters: str = Field(description="as they are written into the file")


class Favourite(Document):
    favourite: bool


class AppealText(Document):
    text: str = Field(min_length=1, max_length=limits.MAX_APPEAL, description="one sentence")


class Model(Document):
    id: str
    is_possible: bool = Field(description="whether it draws now")
    reason: Reason
    replicas: int
    seconds_per_step: float | None
    wait: Position = Field(description="of a task that you would submit now")


class ModelList(Document):
    models: list[Model]


class Limit(Document):
    limit: int
    left: int
    renews_at: Time | None = Field(description="null: time alone does not renew it")


class Token(Document):
    """The one of the request."""

    name: str
    scope: Annotated[str, one_of(TokenScope.values)]
    created: Time
    expires_at: Time | None


class Me(Document):
    username: str
    may_see_all: bool
    limits: dict[str, Limit] = Field(description="by kind; an absent kind is unlimited")
    token: Token


class Link(Document):
    url: str
    expires: Time


class OpenAIRequest(Schema):
    """Other fields of OpenAI, such as `quality`, are ignored; those of a submission are read."""

    model_config = ConfigDict(extra="allow")

    prompt: Annotated[Prompt, Field(min_length=1)]
    model: str | None = None
    n: int | None = Field(None, ge=1, le=limits.MAX_IMAGES)
    size: str | None = Field(None, examples=["512x512", "auto"])
    response_format: Literal["url", "b64_json"] | None = None
    stream: bool | None = None


class OpenAIFailure(Document):
    message: str
    type: str
    param: str | None
    code: str


class OpenAIImage(Document):
    url: str | None = None
    b64_json: str | None = None


class OpenAIImages(Document):
    created: int
    data: list[OpenAIImage]


class OpenAIModel(Document):
    id: str
    object: str
    created: int
    owned_by: str


class OpenAIModels(Document):
    object: str
    data: list[OpenAIModel]


class ReachedLimit(Limit):
    kind: str


class Problem(Document):
    """RFC 9457."""

    type: str
    title: str
    status: int
    code: Code
    field: str | None = None
    limit: ReachedLimit | None = Field(None, description="with 429: the limit that was reached")
    words: list[str] | None = Field(None, description="of the prompt that are not accepted")


EXTRA_HEADERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": {
        "description": "the same key with the same request gives the same task",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "Cancel-After": {
        "description": "seconds after which the task is cancelled unless it is over",
        "schema": {"type": "integer", "minimum": 1, "maximum": limits.MAX_CANCEL_AFTER},
        "example": 300,
    },
    "Prefer": {
        "description": "`wait=n`: answer when the task is over, or after n ≤ 60 seconds",
        "schema": {"type": "string"},
        "example": "wait=30",
    },
}


def document(
    responses: dict[int, Any],
    *,
    body: type[Schema] | None = None,
    headers: tuple[str, ...] = (),
    problems: tuple[int, ...] = (),
) -> dict[str, Any]:
    """Arguments of a ninja operation that describe it."""
    failures = dict.fromkeys((400, 401, 403, 429, 500, 503, *problems), Problem)
    extra: dict[str, Any] = {}
    if headers:
        extra["parameters"] = [
            {"name": name, "in": "header", "required": False, **EXTRA_HEADERS[name]}
            for name in headers
        ]
    if body is not None:
        schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
        extra["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": EXAMPLES[body.__name__]}},
        }
    return {"response": {**failures, **responses}, "openapi_extra": extra}

"""Made-up requests to the API, alone and in sequences, against its OpenAPI document."""

from __future__ import annotations

import gc
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.asgi import get_asgi_application
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import FlakyStrategyDefinition, InvalidDefinition, Unsatisfiable
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.core import NotSet
from schemathesis.python import asgi
from schemathesis.specs.openapi.checks import (
    positive_data_acceptance,
    response_schema_conformance,
)

from generation.hub import hub
from tests.conftest import serve_model
from tests.fuzz.inputs import CANARY, INPUTS, Fuzzed, create_fuzzed, tasks_ending

SHARE = INPUTS // 10

# Django closes the file of a body with its response, which a client that cuts a stream never ends
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <function SpooledTemporaryFile:"
    "pytest.PytestUnraisableExceptionWarning"
)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Django, with the hub in the loop of its requests."""
    if scope["type"] != "lifespan":

        async def send_until_closed(message: Any) -> None:
            # the client reads only so much of a stream
            with suppress(ValueError):
                await send(message)

        await get_asgi_application()(scope, receive, send_until_closed)
        return
    await receive()
    await hub.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await hub.stop()
    hub.leaving = False
    await send({"type": "lifespan.shutdown.complete"})


@pytest.fixture
def fuzzed(transactional_db: None, media: Path, now: datetime, settings: Any) -> Iterator[Fuzzed]:
    settings.LIMIT_UNFINISHED = 0
    serve_model(now=now, slots=4)
    created = create_fuzzed()
    with tasks_ending():
        yield created
        asgi.shutdown_lifespans()
    # here, and not in a later test
    gc.collect()
    # of streams that the client has cut, and whose loop is gone
    hub.outboxes.clear()


@pytest.fixture
def schema(fuzzed: Fuzzed) -> Any:
    found = schemathesis.openapi.from_asgi("/api/v1/openapi.json", application)
    # with each request goes the token
    found.config.generation.update(with_security_parameters=False)
    return found


def examples(count: int, *, steps: int = 2) -> Any:
    """Settings for `count` examples, at least two: the first is always the simplest."""
    return hypothesis_settings(
        max_examples=max(2, count),
        stateful_step_count=max(2, steps),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def excluded(case: Any) -> list[Any]:
    """Checks that ask more than a document can say.

    No schema knows which models there are, or which sizes fit them. A stream is text to OpenAPI
    3.1, and its events are objects to the check.
    """
    is_stream = case.operation.label.endswith(("/stream", "/images/generations"))
    return [positive_data_acceptance, *([response_schema_conformance] if is_stream else [])]


def name_a_task(case: Any, fuzzed: Fuzzed) -> None:
    """Let three of four valid ids be of tasks that exist."""
    task_id = (case.path_parameters or {}).get("task_id")
    if isinstance(task_id, str) and case.meta.generation.mode.is_positive:
        known, digits = [*fuzzed.own, *fuzzed.foreign], zlib.crc32(task_id.encode())
        if digits % 4:
            case.path_parameters["task_id"] = known[digits % len(known)]


def note(response: Any, case: Any, fuzzed: Fuzzed) -> None:
    fuzzed.kinds.add(case.operation.label)
    if not isinstance(case.body, NotSet):
        fuzzed.bodies.add(repr(case.body))
    fuzzed.counts[f"{response.status_code // 100}xx"] += 1
    assert CANARY not in response.text


@contextmanager
def finished_sequences() -> Iterator[None]:
    """A long sequence may end because each rule has run as often as it may."""
    try:
        yield
    except InvalidDefinition as error:
        if not str(error).startswith("No progress can be made"):
            raise


def test_made_up_requests_get_what_the_document_says(schema: Any, fuzzed: Fuzzed) -> None:
    failures, headers = [], {"Authorization": f"Bearer {fuzzed.token}"}
    operations = [each.ok() for each in schema.get_all_operations()]
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @examples(SHARE // 2 // len(operations) // 2)  # type: ignore[untyped-decorator]
            @given(case=operation.as_strategy(generation_mode=mode))
            def check(case: Any) -> None:
                name_a_task(case, fuzzed)
                response = case.call(headers=headers)
                note(response, case, fuzzed)
                case.validate_response(response, headers=headers, excluded_checks=excluded(case))

            try:
                check()
            except Unsatisfiable:
                # without parameters there is nothing to make wrong
                continue
            except Exception as error:  # noqa: BLE001  the others are tried too
                failures.append(f"{operation.label}: {error}")
    with_body = [operation for operation in operations if operation.body]
    # of each body at least the simplest, another one and two wrong ones
    print(fuzzed.report("requests", kinds=len(operations), bodies=2 * len(with_body)))
    assert not failures, "\n\n".join(failures)


def test_made_up_sequences_of_requests_get_what_the_document_says(
    schema: Any, fuzzed: Fuzzed
) -> None:
    class Sequence(schema.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Bearer {fuzzed.token}"}}

        def before_call(self, case: Any) -> None:
            name_a_task(case, fuzzed)

        def validate_response(self, response: Any, case: Any, **kwargs: Any) -> None:
            note(response, case, fuzzed)
            case.validate_response(
                response, transport_kwargs=kwargs, excluded_checks=excluded(case)
            )

    # few at a time: what the server remembers makes later sequences differ from earlier ones
    for number in range(SHARE // 2):
        if fuzzed.counts.total() >= SHARE // 2:
            break
        # the simplest sequence begins with another operation each time
        Sequence.rule_order_seed = number
        # the same choices may lead elsewhere
        with suppress(FlakyStrategyDefinition), finished_sequences():
            run_state_machine_as_test(Sequence, settings=examples(3, steps=min(50, SHARE // 4)))
    assert fuzzed.counts.total() >= SHARE // 2
    print(fuzzed.report("sequences", kinds=min(10, SHARE // 6), bodies=SHARE // 100))

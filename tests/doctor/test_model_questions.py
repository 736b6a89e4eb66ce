"""Questions about the model server, each with what makes the answer no."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from django.test import override_settings
from django.utils import timezone

from demo_xinference.app import DemoXinference, create_app
from generation import services
from generation.choices import KeyUse
from generation.management.doctor import model_questions
from generation.management.doctor.answers import Answer
from generation.models import ModelServer
from generation.services import key_use
from generation.xinference import ListedModel, ServedModel, XinferenceClient
from tests.conftest import MODEL
from tests.contract.demo_process import DemoProcess
from tests.factories import default_server, refuse_key

KEY = "xf-0123456789abcdef"

SLOW = {"do": "slow", "seconds": 0.1}
"""Each step takes longer, without computing time."""

NewClient = Callable[..., XinferenceClient]


@pytest.fixture
def demo_url() -> Iterator[str]:
    process = DemoProcess("--speed", "40")
    yield process.url
    process.stop()


@pytest.fixture
async def client_of() -> AsyncIterator[NewClient]:
    """A client with a key and an address of metrics, of a new demo model in this process."""
    demos: list[DemoXinference] = []

    def client_of(key: str = "", metrics_url: str = "", **options: Any) -> XinferenceClient:
        demo = create_app(speed=40, **options)
        demos.append(demo)
        transport = httpx.ASGITransport(demo, raise_app_exceptions=False)
        return XinferenceClient(
            base_url="http://demo", api_key=key, transport=transport, metrics_url=metrics_url
        )

    yield client_of
    for demo in demos:
        await demo.aclose()


async def asked(client: XinferenceClient, *, draw: bool = False) -> dict[str, Answer]:
    answers, models = await model_questions.ask(client, url="", has_key=False, draw=draw)
    if models:
        answers.append(model_questions.is_model_ready(models))
    return {each.question: each for each in answers}


def states(answers: dict[str, Answer]) -> list[str]:
    return [answer.state for answer in answers.values()]


async def test_a_server_in_order(client_of: NewClient) -> None:
    client = client_of(KEY, metrics_url="http://demo", api_key=KEY, faults=[SLOW])
    answers = await asked(client, draw=True)

    assert states(answers) == ["yes"] * 6
    assert answers[model_questions.QUEUE].detail == f"{MODEL}: 0"
    assert answers[model_questions.SERVED].detail.startswith(f"{MODEL} (txt2img: ")


async def test_without_drawing_it_asks_for_lists_alone(
    client_of: NewClient,
) -> None:
    answers = await asked(client_of())

    assert states(answers) == ["yes", "yes", "skipped", "skipped", "skipped", "yes"]
    assert "--draw" in answers[model_questions.ABORT].detail


async def test_a_server_that_cannot_be_reached() -> None:
    answers = await asked(XinferenceClient(base_url="http://127.0.0.1:1"), draw=True)

    assert states(answers)[0] == "no"
    assert set(states(answers)[1:]) == {"skipped"}


async def test_a_wrong_key(client_of: NewClient) -> None:
    answers = await asked(client_of("xf-wrong", api_key=KEY), draw=True)

    assert states(answers)[:2] == ["yes", "no"]
    assert "ask_model_server" in answers[model_questions.KEY].hint


async def test_another_model(client_of: NewClient) -> None:
    answers = await asked(client_of(model="SomethingElse"), draw=True)

    assert states(answers) == ["yes", "yes", "skipped", "skipped", "skipped", "no"]
    assert "SomethingElse" in answers[model_questions.SERVED].detail


async def test_an_address_where_no_metrics_are(client_of: NewClient) -> None:
    answers = await asked(client_of(metrics_url="http://demo/elsewhere"))

    answer = answers[model_questions.QUEUE]
    assert answer.state == "no"
    assert "404" in answer.detail


async def test_metrics_that_name_no_model_of_the_server(client_of: NewClient) -> None:
    client = client_of(metrics_url="http://demo")
    (listed,) = await client.listed(first=MODEL)
    model = replace(await client.served(listed), name="another")

    answer = await model_questions.is_queue_known(client, [model])

    assert (answer.state, answer.detail) == ("no", "another: not named")


async def test_a_call_without_progress(client_of: NewClient) -> None:
    client = client_of(faults=[{"do": "freeze_progress", "step": 1}, SLOW])
    answer = await model_questions.is_progress_in_steps(client, await served(client))

    assert answer.state == "no"


async def test_a_call_that_fails(client_of: NewClient) -> None:
    failing = [{"do": "status", "status": 500, "detail": "CUDA out of memory"}]
    answers = await asked(client_of(faults=failing), draw=True)

    assert states(answers)[3:] == ["no", "no", "yes"]


async def served(client: XinferenceClient) -> ServedModel:
    (listed,) = await client.listed(first=MODEL)
    assert isinstance(listed, ListedModel)
    return await client.served(listed)


async def test_an_abort_that_ends_nothing(client_of: NewClient) -> None:
    # it reports twentieths, so the first one is that of step 5
    client = client_of(faults=[{"do": "stall", "step": 5, "seconds": 30}])
    answer = await model_questions.does_abort_end_a_call(client, await served(client), patience=0.5)

    assert (answer.state, answer.detail) == ("no", "the call went on for 0.5 s")


async def test_an_engine_that_cannot_abort(client_of: NewClient) -> None:
    client = client_of(engine="mlx")
    answer = await model_questions.does_abort_end_a_call(client, await served(client))

    assert answer.state == "skipped"


@pytest.mark.django_db
def test_a_refused_key_is_not_sent_again(model: str, now: Any) -> None:
    with override_settings(XINFERENCE_URL="http://127.0.0.1:1", XINFERENCE_API_KEY=KEY):
        refuse_key(now)
        assert key_use(server_id=default_server(now), early=False, now=now) == KeyUse.REFUSED
        answers = list(model_questions.ask_model_servers(draw=True))

    assert [each.state for each in answers] == ["skipped", "no", *["skipped"] * 3, "no"]


@pytest.mark.django_db
def test_each_of_several_servers_is_asked_alone(demo_url: str) -> None:
    urls = {"dead": ("http://127.0.0.1:1", ""), "good": (demo_url, "")}
    with override_settings(XINFERENCE_URLS=urls):
        services.sync_named_servers(now=timezone.now())
        ModelServer.objects.create(name="off", url="http://127.0.0.1:1", enabled=False)
        ModelServer.objects.create(name="old", url=demo_url, encrypted_key="of another SECRET_KEY")
        answers = {each.question: each for each in model_questions.ask_model_servers(draw=False)}

    reached = {question: each for question, each in answers.items() if "answer?" in question}
    assert [(each.split(":")[0], reached[each].state) for each in reached] == [
        ("dead", "no"),
        ("good", "yes"),
        ("old", "no"),
    ]
    assert "SECRET_KEY has changed" in reached[f"old: {model_questions.REACHED}"].detail
    assert answers[model_questions.SERVED].state == "yes"


@pytest.mark.django_db
def test_servers_are_asked_before_a_worker_has_run(demo_url: str) -> None:
    with override_settings(XINFERENCE_URL=demo_url):
        answers = list(model_questions.ask_model_servers(draw=False))

    assert [each.state for each in answers] == ["yes", "yes", *["skipped"] * 3, "yes"]


@pytest.mark.django_db
def test_the_demo_model_is_not_asked() -> None:
    answers = list(model_questions.ask_model_servers(draw=True))

    assert {each.state for each in answers} == {"skipped"}

"""Installations whose model servers are named by rows of the admin alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from generation import services
from generation.management.commands.serve import model_text
from generation.management.doctor import model_questions
from generation.models import ModelServer, ModelState
from generation.readiness import servers_report
from tests.conftest import MODEL
from tests.contract.demo_process import DemoProcess

IN_ADMIN = override_settings(XINFERENCE_SERVERS_IN_ADMIN=True)


@pytest.fixture(scope="module")
def demo_url() -> Iterator[str]:
    process = DemoProcess("--speed", "40")
    yield process.url
    process.stop()


@pytest.mark.django_db
def test_they_have_no_demo_model(now: datetime) -> None:
    services.sync_named_servers(now=now)
    ModelServer.objects.create(name="gpu", url="http://gpu:9997")
    with IN_ADMIN:
        services.sync_named_servers(now=now)
        assert services.named_servers() == {}
        assert services.addresses_text() == "servers of the admin"
        assert model_text() == "servers of the admin"

    enabled = ModelServer.objects.filter(enabled=True)
    assert [server.name for server in enabled] == ["gpu"]


@pytest.mark.django_db
def test_readiness_says_that_none_is_enabled(now: datetime) -> None:
    assert servers_report(now).word == "down"
    ModelServer.objects.create(name="gpu", url="http://gpu:9997", checked_at=now)
    assert servers_report(now).word == "ok"


@pytest.mark.django_db
def test_the_doctor_misses_a_server() -> None:
    with IN_ADMIN:
        answers = list(model_questions.ask_model_servers(draw=False))

    assert [each.state for each in answers] == ["no", *["skipped"] * 5]
    assert "admin" in answers[0].hint


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_admin", [True, False])
def test_they_are_asked_by_the_command(demo_url: str, now: datetime, in_admin: bool) -> None:
    """Also beside a demo model, which another process runs and no command can ask."""
    services.sync_named_servers(now=now)
    ModelServer.objects.create(name="gpu", url=demo_url)
    text = StringIO()
    with override_settings(XINFERENCE_SERVERS_IN_ADMIN=in_admin):
        call_command("ask_model_server", stdout=text)

    assert text.getvalue() == f"{MODEL}: ready\n"
    demo = ModelServer.objects.get(name="default")
    assert (demo.enabled, demo.error_code) == (not in_admin, "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("in_admin", [True, False])
def test_the_command_says_that_there_is_none(in_admin: bool) -> None:
    ModelServer.objects.create(name="off", url="http://127.0.0.1:9", enabled=False)
    with (
        override_settings(XINFERENCE_SERVERS_IN_ADMIN=in_admin),
        pytest.raises(CommandError, match="enable a server in the admin"),
    ):
        call_command("ask_model_server")

    assert not ModelState.objects.filter(ready=False).exclude(error_code="").exists()


def test_a_worker_of_the_demo_model_says_what_to_set() -> None:
    with pytest.raises(CommandError, match="XINFERENCE_SERVERS_IN_ADMIN=1"):
        call_command("run_worker")

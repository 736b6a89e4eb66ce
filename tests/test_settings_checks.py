"""Mistakes in the settings are reported at start, with advice."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test import override_settings

from generation import checks
from generation.models import ModelServer
from generation.worker.model_probe import slots_of
from liujuan_site.lifespan import refuse_settings

PLAIN: dict[str, Any] = {
    "IS_SQLITE": True,
    "REDIS_URL": "",
    "XINFERENCE_URL": "",
    "EMBEDDED_WORKER": True,
}
"""One process, whatever servers the tests run on."""


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, []),
        ({"IS_SQLITE": False, "REDIS_URL": "redis://x"}, ["generation.E001"]),
        ({"IS_SQLITE": True, "REDIS_URL": "redis://x"}, ["generation.E001"]),
        ({"IS_SQLITE": False, "REDIS_URL": "", "XINFERENCE_URL": "http://x"}, []),
        ({"IS_SQLITE": False, "XINFERENCE_SERVERS_IN_ADMIN": True}, []),
        ({"IS_SQLITE": True, "REDIS_URL": "", "XINFERENCE_URL": ""}, []),
        ({"REDIS_URL": "", "EMBEDDED_WORKER": False}, ["generation.W001"]),
    ],
)
def test_each_mistake_has_its_check_and_a_hint(settings: dict[str, Any], found: list[str]) -> None:
    with override_settings(**PLAIN | settings):
        messages = [*checks.check_model(), *checks.check_layer()]

    assert [message.id for message in messages] == found
    assert all(message.hint for message in messages)


def test_a_public_url_is_asked_for_before_going_public() -> None:
    with override_settings(PUBLIC_URL=""):
        assert [message.id for message in checks.check_address()] == ["generation.W002"]
    with override_settings(PUBLIC_URL="https://studio.example"):
        assert not checks.check_address()


@pytest.mark.django_db
def test_a_certificate_that_is_not_verified_is_named() -> None:
    with override_settings(XINFERENCE_VERIFY=False):
        assert [each.id for each in run_checks(include_deployment_checks=True)].count(
            "generation.W011"
        )
    assert not checks.check_model_server_certificate()

    ModelServer.objects.create(name="off", url="https://off", verify=False, enabled=False)
    ModelServer.objects.create(name="lab", url="https://lab", verify=False)
    (warning,) = checks.check_model_server_certificate()
    assert "the model server lab" in warning.msg


@pytest.mark.django_db
def test_checks_need_no_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute("alter table generation_modelserver rename to elsewhere")
    try:
        assert checks.unverified_servers() == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("alter table elsewhere rename to generation_modelserver")


def test_hosts_that_share_a_database_need_one_secret() -> None:
    with override_settings(IS_SQLITE=False, SECRET_KEY_GIVEN=""):
        assert [message.id for message in checks.check_secret()] == ["generation.W003"]
    with override_settings(IS_SQLITE=False, SECRET_KEY_GIVEN="long"):
        assert not checks.check_secret()


@pytest.mark.parametrize(
    ("setting", "model", "slots"),
    [("", "A", 3), ("6", "A", 6), ("A=2,B=1", "A", 2), ("A=2, B=1", "B", 1), ("A=2", "C", 3)],
)
def test_slots_are_the_replicas_by_default(setting: str, model: str, slots: int) -> None:
    assert slots_of(setting, model, replicas=3) == slots


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"HTTPS": True}, ["generation.W010"]),
        ({"ACCEL_REDIRECT": "/_media"}, ["generation.W010"]),
        ({"HTTPS": True, "TRUSTED_PROXIES": 1}, []),
        ({}, []),
    ],
)
def test_a_start_warns_of_unlikely_settings(
    caplog: pytest.LogCaptureFixture, settings: dict[str, Any], expected: list[str]
) -> None:
    with override_settings(**PLAIN | settings):
        refuse_settings()
        assert [message.id for message in checks.check_proxies()] == expected
        ordinary = {message.id for message in run_checks()}

    lines = [line for line in caplog.messages if line.startswith("settings_warning ")]
    assert [line.split()[1] for line in lines] == [f"id={name}" for name in expected]
    assert all("Set TRUSTED_PROXIES=1" in line for line in lines)
    # `manage.py check`, `migrate` and the other commands tell it too
    assert set(expected) <= ordinary

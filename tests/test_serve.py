"""Output of `manage.py serve` about the initial account."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import override_settings

from generation.management.commands.serve import NAME, Command


@pytest.mark.django_db
def test_the_password_is_printed_once_and_later_only_where_it_is(tmp_path: Path) -> None:
    with override_settings(DATA_DIR=tmp_path):
        first, second = Command().ready_account(), Command().ready_account()
        account = User.objects.get(username=NAME)
        assert account.check_password(first)
        account.set_password("another")
        account.save()
        third = Command().ready_account()

    assert (tmp_path / "password").read_text().strip() == first
    assert first not in second + third
    assert second == f"unchanged, in {tmp_path / 'password'}"
    assert "changed since" in third

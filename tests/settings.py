"""The real settings, in a separate environment."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.studio import ROOT

SettingsOf = Callable[..., dict[str, Any]]


@pytest.fixture
def settings_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SettingsOf:
    """`settings_of(NAME="value")`: what the settings become in an environment of only that."""

    def settings_of(**env: str) -> dict[str, Any]:
        with monkeypatch.context() as patch:
            for name in ("DATABASE_URL", "REDIS_URL"):
                patch.delenv(name, raising=False)
            for name, value in {"DATA_DIR": str(tmp_path), **env}.items():
                patch.setenv(name, value)
            found = runpy.run_path(str(ROOT / "liujuan_site/settings.py"))
        return {name: value for name, value in found.items() if name.isupper()}

    return settings_of

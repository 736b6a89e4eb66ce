"""DEMO_FAULTS: files that are refused, and refused with a real model server."""

from __future__ import annotations

from pathlib import Path

import pytest

from liujuan_site.environment import InvalidSettings
from tests.settings import SettingsOf


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "DEMO_FAULTS=.* is not a file that can be read"),
        ("{", "is not JSON"),
        ("{}", "holds no list"),
        ("[1]", "objects: 1"),
        ('[{"do": "drop", "match": 5}]', "objects"),
        ('[{"do": "stall", "seconds": "x"}]', "seconds in a fault must be a number"),
        ('[{"do": "stall", "step": "y"}]', "step in a fault must be a whole number"),
        ('[{"do": "dance"}]', "not a fault"),
    ],
)
def test_unusable_faults_of_the_demo_model_are_refused(
    settings_of: SettingsOf, tmp_path: Path, content: str | None, message: str
) -> None:
    file = tmp_path / "faults.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    with pytest.raises(InvalidSettings, match=message):
        settings_of(DEMO_FAULTS=str(file))


def test_faults_are_refused_with_a_real_model_server(
    settings_of: SettingsOf, tmp_path: Path
) -> None:
    file = tmp_path / "faults.json"
    file.write_text('[{"do": "drop", "times": 1}]', encoding="utf-8")

    assert settings_of(DEMO_FAULTS=str(file))["DEMO_FAULTS"] == str(file)
    with pytest.raises(InvalidSettings, match="DEMO_FAULTS is of the demo model"):
        settings_of(DEMO_FAULTS=str(file), XINFERENCE_URL="http://gpu:9997")
    with pytest.raises(InvalidSettings, match="DEMO_FAULTS is of the demo model"):
        settings_of(DEMO_FAULTS=str(file), XINFERENCE_SERVERS_IN_ADMIN="1")

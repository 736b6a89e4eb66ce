"""`manage.py doctor` as an operator types it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from generation.management.doctor.answers import DOCUMENT, Section
from generation.models import Worker
from tests.other_databases import AWAY, database_at
from tests.studio import ROOT

PARTS = [
    *("settings", "database", "redis", "disk", "model server", "workers", "proxy", "mail"),
    "webhooks",
]


def run(*arguments: str) -> tuple[bool, str]:
    """Whether it ended without an error, and what it printed."""
    output = StringIO()
    try:
        call_command("doctor", *arguments, stdout=output)
    except CommandError:
        return False, output.getvalue()
    return True, output.getvalue()


@pytest.mark.django_db(transaction=True)
def test_all_parts_are_asked(worker: Worker, media: Path, settings: Any) -> None:
    settings.VERSION = worker.version
    in_order, printed = run("--json")

    document = json.loads(printed)
    assert in_order, [each for each in document["answers"] if each["state"] == "no"]
    assert document["ok"]
    assert list(dict.fromkeys(each["part"] for each in document["answers"])) == PARTS


@pytest.mark.django_db(transaction=True)
def test_a_no_says_what_to_try_and_where_to_read(media: Path) -> None:
    in_order, printed = run()

    lines = printed.splitlines()
    at = lines.index(
        "no      workers: Is a worker alive, and not paused? (none has sent a heartbeat for 15 s)"
    )
    assert not in_order
    assert lines[at + 1].startswith("        try: start one: manage.py run_worker")
    assert lines[at + 2] == f'        see: {DOCUMENT}, "What to watch"'


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_one_no(media: Path) -> None:
    with database_at(**AWAY[connection.vendor]):
        _in_order, printed = run("--json")

    answers = json.loads(printed)["answers"]
    assert [each["part"] for each in answers if each["state"] == "no"] == ["database"]
    assert [each["part"] for each in answers if each["state"] == "skipped"].count("workers") == 1


def test_every_section_is_a_heading() -> None:
    headings = re.findall(r"^#+ (.+)$", (ROOT / DOCUMENT).read_text(encoding="utf-8"), re.MULTILINE)

    assert {each.value for each in Section} <= set(headings)


def test_the_exit_status_of_an_installation_that_was_never_started(tmp_path: Path) -> None:
    env = {**os.environ, "DATA_DIR": str(tmp_path / "new"), "DATABASE_URL": "", "REDIS_URL": ""}
    command = [sys.executable, "manage.py", "doctor", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)

    states = {each["question"]: each["state"] for each in json.loads(done.stdout)["answers"]}
    assert done.returncode == 1
    assert states["Are all migrations applied?"] == "no"
    assert "Traceback" not in done.stderr

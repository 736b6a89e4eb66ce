"""Commands end with a sentence that says what the operator must do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import (
    DatabaseError,
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)
from psycopg.errors import UndefinedColumn, UndefinedTable

from liujuan_site.command_line import sentences
from tests.studio import ROOT


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("no connection\nsecond line"),
        InterfaceError("closed"),
        DatabaseError("file is not a database"),
        OperationalError("\x1b[31m"),
    ],
)
def test_a_database_that_cannot_be_used_is_a_sentence(error: Error) -> None:
    with pytest.raises(SystemExit, match="The database cannot be used: ") as ended, sentences():
        raise error

    first, _advice = str(ended.value).splitlines()
    assert first.isprintable()
    with pytest.raises(Error), sentences(traceback=True):
        raise error


@pytest.mark.parametrize("of_driver", [UndefinedTable("relation"), UndefinedColumn("column"), None])
def test_missing_tables_ask_for_migrate(of_driver: Exception | None) -> None:
    error = ProgrammingError("missing") if of_driver else OperationalError("no such table: x")
    error.__cause__ = of_driver

    with pytest.raises(SystemExit, match=r"Run manage\.py migrate\.$"), sentences():
        raise error


@pytest.mark.parametrize(
    "error", [IntegrityError("twice"), ProgrammingError("syntax"), ValueError("ours")]
)
def test_a_mistake_of_the_code_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error)), sentences():
        raise error


def test_an_unreachable_server_ends_a_command_with_its_cause(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate"],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "DATA_DIR": str(tmp_path / "new/data"),
                "XINFERENCE_URL": "http://gpu:9997",
                "DATABASE_URL": "postgres://user:geheim@127.0.0.1:9/name",
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
    finally:
        os.umask(mask)

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "geheim" not in done.stderr
    *_lines, sentence, advice = done.stderr.splitlines()
    assert sentence.startswith("The database cannot be used: ")
    assert sentence.endswith("Connection refused")
    assert advice.startswith("Check DATABASE_URL")
    assert not (tmp_path / "new").stat().st_mode & 0o022

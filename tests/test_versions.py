"""Packages, migrations and versions that upgrades and downgrades depend on."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata

import pytest
from django import get_version
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from liujuan_site import VERSION
from tests import known_vulnerabilities
from tests.studio import ROOT

LISTS = [
    *("requirements", "requirements-observability", "requirements-dev", "requirements-bench"),
    *("requirements-peers", "requirements-tools"),
]
ENTRY = re.compile(r"(\S.*?)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")
"""A requirement and its hashes, as `make requirements` writes them."""


def pinned(name: str) -> list[Requirement]:
    """The requirements in a list; each has hashes, and nothing else is there but comments."""
    text = (ROOT / f"{name}.txt").read_text(encoding="utf-8")
    rest = re.sub(r"^ *#.*\n", "", ENTRY.sub("", text), flags=re.M)
    assert rest == ""
    return [Requirement(entry[1]) for entry in ENTRY.finditer(text)]


def named(name: str) -> set[str]:
    text = (ROOT / f"{name}.in").read_text(encoding="utf-8")
    return {canonicalize_name(each) for each in re.findall(r"^\w[\w-]*", text, re.M)}


PINNED = pinned("requirements")
ADDING = (
    operations.AddConstraint,
    operations.AddField,
    operations.AddIndex,
    operations.CreateModel,
    operations.RemoveConstraint,  # with a rule less nothing is refused
    operations.RemoveIndex,
    operations.RenameIndex,  # no statement names an index
    # of a field's words or default; what the column may hold is looked at below
    operations.AlterField,
    operations.RunPython,
)


NEEDS_STOP = {"0013_column_names"}
"""Migrations before which all processes of the older version are stopped."""


@pytest.mark.parametrize("name", LISTS)
def test_every_version_is_pinned_with_hashes(name: str) -> None:
    requirements = pinned(name)

    assert {
        str(each) for each in requirements if not re.fullmatch(r"==[\w.]+", str(each.specifier))
    } == set()
    assert named(name) <= {canonicalize_name(each.name) for each in requirements}


@pytest.mark.parametrize("python", ["3.11.2", "3.11.14", "3.12.0", "3.13.0"])
def test_everything_that_a_package_needs_is_pinned(python: str) -> None:
    """Also on Debian's Python, 3.11.2."""
    demo_worker = {"python_full_version": python, "python_version": python.rpartition(".")[0]}
    demo_worker["extra"] = ""
    here = [each for each in PINNED if each.marker is None or each.marker.evaluate(demo_worker)]
    names = {canonicalize_name(each.name) for each in here}

    missing = {
        f"{each.name} needs {needed}"
        for each in here
        for needed in map(Requirement, requires(each.name))
        if needed.marker is None or needed.marker.evaluate(demo_worker)
        if canonicalize_name(needed.name) not in names
    }

    assert missing == set()


def requires(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        # pinned for another machine than this one, and it needs nothing
        assert name == "async-timeout"
        return []


def test_the_version_needs_no_settings() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    command = [sys.executable, "manage.py", "version"]
    done = subprocess.run(
        command, cwd=ROOT, env={"PORT": "x"}, capture_output=True, text=True, check=True
    )

    assert project["version"] == VERSION
    assert done.stdout == f"LiuJuan Studio {VERSION} (Django {get_version()})\n"


def test_an_audit_that_could_not_be_made_is_not_one_without_findings() -> None:
    """pip-audit exits with 0 for both."""
    vulnerability = {"id": "PYSEC-1", "fix_versions": ["1.1"]}
    packages = [
        {"name": "one", "version": "1.0", "vulns": [vulnerability]},
        {"name": "two", "version": "1.0", "vulns": []},
        {"name": "three", "skip_reason": "not found"},
    ]

    result = known_vulnerabilities.read({"dependencies": packages})

    assert result.findings == ["one 1.0: PYSEC-1, fixed in 1.1"]
    assert (result.checked, result.unchecked) == (2, ["three"])
    assert known_vulnerabilities.read({"dependencies": packages[2:]}).checked == 0


def later_migrations() -> list[Migration]:
    loader = MigrationLoader(None)
    found = loader.disk_migrations.items()
    # the initial ones make everything
    return [
        each
        for (app, name), each in sorted(found)
        if app == "accounts" or (app == "generation" and name > "0002")
    ]


def database_operations(migration: Migration) -> Iterator[operations.base.Operation]:
    for each in migration.operations:
        if isinstance(each, operations.SeparateDatabaseAndState):
            yield from each.database_operations
        else:
            yield each


@pytest.mark.parametrize(
    "migration",
    [each for each in later_migrations() if each.name not in NEEDS_STOP],
    ids=lambda each: each.name,
)
def test_the_version_before_can_go_on_with_the_new_tables(migration: Migration) -> None:
    """It does not name the new columns when it writes a row: the database must fill them."""
    new_tables = set()
    for each in database_operations(migration):
        assert isinstance(each, ADDING), each
        if isinstance(each, operations.CreateModel):
            new_tables.add(each.name_lower)
        if isinstance(each, operations.AddField) and each.model_name_lower not in new_tables:
            assert each.field.null or each.field.has_db_default(), each.name


LARGE = {"generatedimage", "generationtask", "taskevent"}
"""Models with millions of rows."""


@pytest.mark.parametrize(
    "migration",
    [each for each in later_migrations() if each.app_label == "generation" and each.name > "0022"],
    ids=lambda each: each.name,
)
def test_no_index_of_a_large_table_is_built_in_a_transaction(migration: Migration) -> None:
    """Other writers would wait until it ends, and after a new column of that table readers too."""
    built = [
        each.index.name
        for each in database_operations(migration)
        if isinstance(each, operations.AddIndex) and each.model_name_lower in LARGE
    ]

    assert built == [] or not migration.atomic


@pytest.mark.parametrize("name", sorted(NEEDS_STOP))
def test_the_operations_name_the_migrations_that_need_a_stop(name: str) -> None:
    assert name in {each.name for each in later_migrations()}
    assert f"`{name}`" in (ROOT / "docs/operations.md").read_text(encoding="utf-8")

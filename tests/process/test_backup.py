"""A backup is worth what its restore gives: the commands of docs/operations.md, carried out."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.production import Production, postgres_programs


@pytest.fixture
def old_site(tmp_path: Path) -> Iterator[Production]:
    site = Production(tmp_path / "old", speed=4, GENERATION_LEASE="4").start()
    yield site
    site.stop()


@pytest.fixture
def new_site(tmp_path: Path) -> Iterator[Production]:
    """Another host: nothing is there yet but an empty database."""
    site = Production(tmp_path / "new", GENERATION_LEASE="4")
    site.postgres.start()
    yield site
    site.stop()


def test_a_restored_studio_has_every_picture_and_finishes_what_was_under_way(
    old_site: Production, new_site: Production, tmp_path: Path
) -> None:
    token = old_site.user("alice")
    with old_site.connect(token) as watcher:
        done = watcher.generate(size="256x256")
        picture = watcher.until_type("result")["data"]["data"][0]["url"]
        drawn = watcher.fetch(picture)
        under_way = watcher.generate(size="512x512", steps=30)
        watcher.until(lambda message: message.get("kind") == "progressed")
        back_up(old_site, tmp_path / "backup")

    restore(new_site, tmp_path / "backup")
    new_site.start()

    with new_site.connect(token) as watcher:
        assert [each["task_id"] for each in watcher.until_type("hello")["active"]] == [under_way]
        watcher.send(action="attach", task_id=done)
        assert watcher.until_type("result")["task_id"] == done
        assert watcher.fetch(picture) == drawn
        watcher.send(action="attach", task_id=under_way)
        result = watcher.until_type("result", "error", seconds=120)
        assert (result["type"], result["attempt"]) == ("result", 2)
        seqs = [event["seq"] for event in watcher.events(under_way)]
        assert seqs == list(range(1, result["seq"] + 1))


def back_up(site: Production, folder: Path) -> None:
    """The database first: a picture's file is there before its row."""
    folder.mkdir()
    dump = ["--format=custom", f"--file={folder / 'studio.dump'}", site.postgres.url]
    subprocess.run([postgres_programs() / "pg_dump", *dump], check=True)
    shutil.copytree(site.folder / "data" / "media", folder / "media")


def restore(site: Production, folder: Path) -> None:
    shutil.copytree(folder / "media", site.folder / "data" / "media")
    options = ["--no-owner", "--exit-on-error", f"--dbname={site.postgres.url}"]
    command = [str(postgres_programs() / "pg_restore"), *options, str(folder / "studio.dump")]
    subprocess.run(command, check=True)

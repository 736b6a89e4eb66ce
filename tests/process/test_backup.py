"""Backup and restore with the commands of docs/operations.md."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo_faults import FAST
from tests.production import Production
from tests.stores import postgres_programs

LONG_STEPS = 40
LONG = {"do": "slow", "seconds": 0.5, "match": {"steps": LONG_STEPS}}
"""Longer than it takes to make a backup and to start a second site from it."""


@pytest.fixture
def old_site(tmp_path: Path) -> Iterator[Production]:
    site = Production(tmp_path / "old", speed=FAST, faults=[LONG], GENERATION_LEASE="4").start()
    yield site
    site.stop()


@pytest.fixture
def new_site(old_site: Production, tmp_path: Path) -> Iterator[Production]:
    """Another host before the same model server: nothing is there yet but an empty database."""
    url = old_site.model.url
    site = Production(tmp_path / "new", GENERATION_LEASE="4", XINFERENCE_URL=url)
    site.postgres.start()
    yield site
    site.stop()


def test_a_restored_studio_has_every_picture_and_leaves_running_calls_to_the_old_one(
    old_site: Production, new_site: Production, tmp_path: Path
) -> None:
    token = old_site.user("alice")
    with old_site.connect(token) as watcher:
        done = watcher.generate(size="256x256")
        picture = watcher.until_type("result")["data"]["data"][0]["url"]
        drawn = watcher.fetch(picture)
        under_way = watcher.generate(size="256x256", steps=LONG_STEPS)
        watcher.until(lambda message: message.get("kind") == "progressed")
        back_up(old_site, tmp_path / "backup")

        restore(new_site, tmp_path / "backup")
        new_site.start(paused=True)

        with new_site.connect(token) as reader:
            active = reader.until_type("hello")["active"]
            assert [each["task_id"] for each in active] == [under_way]
            reader.send(action="attach", task_id=done)
            assert reader.until_type("result")["task_id"] == done
            assert reader.fetch(picture) == drawn
            waiting = reader.generate(size="256x256")
            place = reader.until_type("queue")["tasks"][waiting]
            assert place["reason"] == "paused"

        # its lease ran out in the copy, where nothing took it over
        result = watcher.until_type("result", "error", seconds=180)
        assert (result["type"], result["task_id"], result["attempt"]) == ("result", under_way, 1)

    output = new_site.manage("resume")
    assert "original installation: 1" in output
    with new_site.connect(token) as reader:
        reader.send(action="attach", task_id=under_way)
        reader.until(lambda message: message.get("attempt") == 2, seconds=60)
        reader.send(action="cancel", task_id=under_way)
        end = reader.until_type("cancelled", seconds=60)
        seqs = [event["seq"] for event in reader.events(under_way)]
        assert seqs == list(range(1, end["seq"] + 1))
    # the old one goes on, too
    assert old_site.sees_the_model()


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

"""A crash anywhere between file and row leaves no row without its file and no stray file."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.prebuilt import furnish
from tests.studio import ROOT

LEFT = {
    "store": {".jpg.part", ".jpg"},
    "refuse": {".jpg.part", ".jpg"},
    "thumbnail": {".jpg.thumb.webp.part", ".jpg.thumb.webp"},
    "prune": {".jpg", ".jpg.thumb.webp", ".condemned"},
}
"""What crashes leave, so that none of the boundaries was missed."""

TWO_HOURS = 7_200.0
FOREIGN = "00000000-0000-4000-8000-000000000000/1-1-abc.jpg"


def environment(data_dir: Path) -> dict[str, str]:
    """With a database of its own, whatever the other tests run on."""
    return {**os.environ, "DATA_DIR": str(data_dir), "DATABASE_URL": "", "REDIS_URL": ""}


def program(act: str, data_dir: Path) -> subprocess.Popen[str]:
    env = environment(data_dir)
    command = [sys.executable, "-m", "tests.services.crash_points", act]
    return subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE)


def output_of(process: subprocess.Popen[str]) -> int:
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0
    return int(output or 0)


@dataclass(frozen=True)
class Scene:
    """What the crashes of one act left behind."""

    home: Path
    deaths: int

    @property
    def media(self) -> Path:
        return self.home / "media"

    def rows(self) -> list[tuple[str, str, str]]:
        with closing(sqlite3.connect(self.home / "db.sqlite3")) as database:
            query = "select file, thumbnail, sha256 from generation_generatedimage"
            return database.execute(query).fetchall()

    def named(self) -> set[str]:
        return {name for file, thumbnail, _hash in self.rows() for name in (file, thumbnail)} - {""}

    def files(self) -> set[str]:
        paths = self.media.rglob("*")
        return {str(path.relative_to(self.media)) for path in paths if path.is_file()}

    def sweep(self) -> int:
        return output_of(program("sweep", self.home))

    def grow_old(self) -> None:
        long_ago = time.time() - TWO_HOURS
        for name in self.files():
            os.utime(self.media / name, (long_ago, long_ago))


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Scene]]:
    """Every act in a process of its own, all at once."""
    empty = tmp_path_factory.mktemp("dying") / "empty"
    empty.mkdir()
    furnish(empty, environment(empty))
    output_of(program("migrate", empty))
    running = {}
    for act in LEFT:
        home = empty.with_name(act)
        shutil.copytree(empty, home)
        running[act] = (home, program(act, home))
    found = {act: Scene(home, output_of(process)) for act, (home, process) in running.items()}
    yield found.__getitem__
    shutil.rmtree(empty.parent)


def suffixes(names: set[str]) -> set[str]:
    """`.jpg.part` of `<task>/.1-1-17172cb8.jpg.part`; a file that is only a dot and a word: all."""
    found = set()
    for name in names:
        first, *others = Path(name).name.lstrip(".").split(".")
        found.add("." + ".".join(others or [first]))
    return found


@pytest.mark.parametrize("act", LEFT)
def test_crashes_leave_only_orphans(scenes: Callable[[str], Scene], act: str) -> None:
    scene = scenes(act)
    foreign = scene.media / FOREIGN
    foreign.parent.mkdir()
    foreign.write_bytes(b"of another database")

    assert scene.deaths > 10
    for file, thumbnail, sha256 in scene.rows():
        assert hashlib.sha256((scene.media / file).read_bytes()).hexdigest() == sha256
        assert not thumbnail or (scene.media / thumbnail).stat().st_size > 0

    left = scene.files() - scene.named() - {FOREIGN}
    assert suffixes(left) == LEFT[act]
    assert scene.sweep() == 0
    assert scene.files() >= left

    scene.grow_old()
    assert scene.sweep() > 0
    assert scene.files() == scene.named() | {FOREIGN}

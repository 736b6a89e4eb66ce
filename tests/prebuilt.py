"""What many processes need and one makes: collected static files and a migrated database."""

from __future__ import annotations

import contextlib
import fcntl
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
COLLECTED = "COLLECTED_STATIC"
"""Names the folder into which a run of the tests has collected the static files."""


def collect_static(kept: Path, target: Path) -> None:
    """Collect into `target`; what an earlier run `kept` of the same sources is taken as it is."""
    if kept.exists():
        shutil.copytree(kept, target)
    call_command("collectstatic", verbosity=0, interactive=False)
    manifest = "staticfiles.json"
    if kept.exists() and filecmp.cmp(kept / manifest, target / manifest, shallow=False):
        return
    kept.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        shutil.copytree(target, Path(folder, "new"))
        # another run may do the same now: whichever comes last stays
        with contextlib.suppress(OSError):
            kept.rename(Path(folder, "old"))
        with contextlib.suppress(OSError):
            Path(folder, "new").rename(kept)


def copy_static(data_dir: Path) -> None:
    """Give `data_dir` the collected files, so that collecting them again costs little.

    Hard links: `collectstatic` replaces files and never writes into one.
    """
    shutil.copytree(os.environ[COLLECTED], data_dir / "static", copy_function=link)


def link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
    return target


def furnish(data_dir: Path, env: Mapping[str, str]) -> None:
    """Give a new `data_dir` what its first process would make; nothing outside a run of tests."""
    if COLLECTED not in os.environ or any(data_dir.iterdir()):
        return
    copy_static(data_dir)
    if not env.get("DATABASE_URL"):
        shutil.copyfile(migrated(env), data_dir / "db.sqlite3")


def migrated(env: Mapping[str, str]) -> Path:
    """An SQLite database with every table and no rows; the first caller of a run makes it."""
    with made_once("migrated.sqlite3") as path:
        if not path.exists():
            with tempfile.TemporaryDirectory() as folder:
                migrate({**env, "DATA_DIR": folder})
                shutil.copyfile(Path(folder, "db.sqlite3"), path)
    return path


def migrate(env: Mapping[str, str]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--skip-checks", "-v", "0"],
        cwd=ROOT,
        env=env,
        check=True,
    )


@contextlib.contextmanager
def made_once(name: str) -> Iterator[Path]:
    """The path of something that all processes of a run share; one at a time is inside."""
    path = Path(os.environ[COLLECTED]).with_name(name)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path

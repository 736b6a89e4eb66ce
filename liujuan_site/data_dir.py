"""DATA_DIR is for the studio's own account alone.

The database in it holds sessions: another account that reads it can act as any user. Members of
the group may read it only if the proxy in front sends the pictures (ACCEL_REDIRECT); the files
with secrets are closed to them all the same.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from liujuan_site.environment import Environment

SECRETS = ("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm", "secret_key", "password")


class Folder:
    """`path`, made and closed as far as this account can; problems are told to `env`."""

    def __init__(self, path: Path, env: Environment) -> None:
        self.path = path
        self.env = env
        self.usable = False
        self.is_closed = False
        """Whether other accounts cannot pass through it; if not, `generation.W004` tells so."""

    def open(self, mode: int) -> None:
        try:
            if not self.path.is_dir():
                self.path.mkdir(mode=mode, parents=True)
            self.is_closed = closed(self.path, mode)
            for name in SECRETS:
                self.close(self.path / name)
            self.usable = True
        except OSError as error:
            reason = error.strerror or "it cannot be used"
            self.env.refuse(
                f"DATA_DIR={self.path} cannot be used: {reason}. "
                "Type DATA_DIR=/a/folder/of/this/account"
            )

    def close(self, path: Path) -> None:
        """Let nobody but this account read the file `path`, if there is one."""
        if not closed(path, 0o600):
            self.env.refuse(
                f"{path} holds secrets, can be read by other accounts and is not ours to change. "
                f"Type: chmod 600 {path}"
            )

    def secret(self, name: str, make: str) -> str:
        """Text of the file `name`; written with `make` and mode 0600 if it does not exist yet."""
        path = self.path / name
        try:
            return self.read_or_write(path, make) if self.usable else ""
        except (OSError, UnicodeDecodeError) as error:
            self.env.refuse(f"{path} cannot be read: {error}.")
            return ""

    def read_or_write(self, path: Path, make: str) -> str:
        if not path.exists():
            # complete under another name first: a crash, or a second start, must not see half of it
            part = path.with_name(f".{path.name}.{os.getpid()}")
            part.touch(mode=0o600)
            part.write_text(make, encoding="utf-8")
            with contextlib.suppress(FileExistsError):
                os.link(part, path)
            part.unlink()
        return path.read_text(encoding="utf-8").strip()

    def create_private(self, path: Path) -> None:
        """Make an empty file of mode 0600 if there is none: what SQLite adds takes its mode."""
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            self.close(path)
        except OSError as error:
            self.env.refuse(f"{path} cannot be made: {error.strerror}.")


def closed(path: Path, mode: int) -> bool:
    """Take away every permission that is not in `mode`; whether none is left."""
    try:
        found = path.stat().st_mode & 0o777
        if found & ~mode:
            path.chmod(found & mode)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True

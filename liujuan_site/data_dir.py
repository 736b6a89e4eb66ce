"""DATA_DIR: checks and sets its permissions, so that other accounts cannot read it.

The database in it holds sessions: an account that can read it can act as any user. The group may
pass through the folder only if the proxy in front sends the pictures (ACCEL_REDIRECT); files with
secrets stay closed to it.

`examine` changes nothing and collects all mistakes; `prepare` runs only if there were none.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from generation.invalid_setting import InvalidSetting
from liujuan_site import private_files
from liujuan_site.environment import Environment, refuse_characters, shown
from liujuan_site.validators import signing_key

KEY = "secret_key"
DATABASE = ("db.sqlite3", "db.sqlite3-wal", "db.sqlite3-shm")
SECRETS = (KEY, "password", *DATABASE)
EMPTY = {"lost+found"}
"""Content of a new volume."""

MARKERS = (KEY, "installation")
"""Files that only the studio creates: a folder with one of them belongs to it."""


class DataDir:
    """DATA_DIR at `path`, and the SQLite file `database`, which may be elsewhere."""

    def __init__(
        self, path: Path, mode: int, env: Environment, *, database: Path | None = None
    ) -> None:
        self.path = path
        self.mode = mode
        self.env = env
        self.database = database
        self.is_closed = False
        """Whether other accounts are locked out; if not, the check `generation.W004` warns."""

    def files(self) -> list[Path]:
        """Paths of the files with secrets, whether or not they exist."""
        names = [self.path / name for name in SECRETS]
        if self.database is None:
            return names
        database = [Path(f"{self.database}{end}") for end in ("", "-wal", "-shm")]
        return list(dict.fromkeys([*names, *database]))

    def examine(self) -> None:
        self.examine_with(self.path, self.examine_folder)
        for path in self.files():
            self.examine_with(path, self.examine_file)
        if self.database is not None:
            self.examine_with(self.database, self.examine_database)
        self.examine_with(self.path / KEY, self.examine_key)

    def prepare(self) -> None:
        """Create the folder and the database file, and close both and the secrets to others."""
        self.examine_with(self.path, self.make)
        if self.database is not None:
            self.examine_with(self.database, private_files.create_empty)
        for path in self.files():
            self.examine_with(path, self.close)

    def secret_key(self, make: str) -> str:
        """The key in the key file; a missing file is created with the content `make`."""
        path = self.path / KEY
        if not path.exists():
            self.examine_with(path, lambda path: private_files.write_once(path, make))
        # another process may have created it meanwhile
        self.examine_with(path, self.examine_key)
        self.env.refuse_mistakes()
        return private_files.read_small(path).strip()

    def examine_with(self, path: Path, action: Callable[[Path], None]) -> None:
        """Call `action(path)`; its errors are collected as mistakes of the settings."""
        try:
            action(path)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a path"
            problem = (
                error.problem if isinstance(error, InvalidSetting) else f"cannot be used: {reason}"
            )
            begun = f"DATA_DIR={shown(str(path))}" if path == self.path else shown(str(path))
            hint = " Type DATA_DIR=/a/folder/of/this/account" if path == self.path else ""
            self.env.refuse(f"{begun} {problem}.{hint}")

    def examine_folder(self, path: Path) -> None:
        """Raise InvalidSetting for an open folder that also holds files of other programs."""
        try:
            found = os.stat(path)
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(found.st_mode):
            raise InvalidSetting("is not a folder")
        if is_closed(found, self.mode) or found.st_uid != os.geteuid():
            return
        if found.st_mode & stat.S_ISVTX or not self.is_ours():
            raise InvalidSetting(
                "is open to other accounts and is not a folder of the studio alone. "
                f"Name an empty one, such as DATA_DIR={shown(str(path / 'liujuan'))}, "
                f"or type: chmod 700 {shown(str(path))}"
            )

    def is_ours(self) -> bool:
        """Whether the folder is empty or holds files that only the studio creates."""
        static = self.path / "static"
        collected = (static / "staticfiles.json").is_file() and (static / "studio").is_dir()
        marked = any(map(is_own_file, (self.path / name for name in MARKERS)))
        return marked or collected or {path.name for path in self.path.iterdir()} <= EMPTY

    def examine_file(self, path: Path) -> None:
        """Raise InvalidSetting for a file with secrets that cannot be closed to others."""
        try:
            if stat.S_ISREG(os.stat(path).st_mode):
                self.examine_mode(path)
                return
        except FileNotFoundError:
            if not path.is_symlink():
                return
        raise InvalidSetting("is not a regular file: move it away")

    def examine_mode(self, path: Path) -> None:
        if not (private_files.is_private(path) or private_files.can_close(path)):
            raise stays_open(path)

    def examine_database(self, path: Path) -> None:
        if not path.is_file():
            return  # `examine_file` reports it; opening a device can have side effects
        size = len(private_files.SQLITE_HEADER)
        if private_files.read_start(path, size) not in (b"", private_files.SQLITE_HEADER):
            raise InvalidSetting("is not an SQLite database: name another file in DATABASE_URL")

    def examine_key(self, path: Path) -> None:
        if not path.exists():
            return
        try:
            key = private_files.read_small(path).strip()
            if key:
                refuse_characters(key, secret=True, lines=False)
            signing_key(key)
        except InvalidSetting:
            raise InvalidSetting(
                "holds no usable key. Restore it from the backup, or remove it: "
                "then a new one is made, and everybody has to sign in again"
            ) from None

    def make(self, path: Path) -> None:
        private_files.make_folder(path, self.mode)
        found = os.stat(path)
        if not is_closed(found, self.mode) and found.st_uid == os.geteuid():
            private_files.close(path, self.mode, folder=True)
        self.is_closed = is_closed(os.stat(path), self.mode)

    def close(self, path: Path) -> None:
        """Close the file `path` to other accounts, if it exists."""
        try:
            if not private_files.is_private(path):
                private_files.close(path, 0o600)
        except FileNotFoundError:
            return
        except OSError:
            raise stays_open(path) from None


def is_closed(found: os.stat_result, mode: int) -> bool:
    return not found.st_mode & private_files.PERMISSIONS & ~mode


def is_own_file(path: Path) -> bool:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def stays_open(path: Path) -> InvalidSetting:
    return InvalidSetting(
        "holds secrets, can be read by other accounts and is not ours to change. "
        f"Type: chmod 600 {shown(str(path))}"
    )

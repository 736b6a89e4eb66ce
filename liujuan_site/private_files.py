"""Reads and creates small private files, and restricts their permissions.

Only files that are certainly ours are changed: regular files and folders that this account owns,
never through a link. Reading follows links, because orchestrators mount secrets as links.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

MAX_BYTES = 64 * 1024
SQLITE_HEADER = b"SQLite format 3\0"

OTHERS = 0o077
PERMISSIONS = 0o777


def refuse_special(path: str | Path, most: int) -> None:
    """Raise OSError unless `path` is a regular file of at most `most` bytes.

    Nothing is opened: a FIFO would block, and opening a device can have side effects.
    """
    found = os.stat(path)
    if stat.S_ISDIR(found.st_mode):
        raise OSError(errno.EISDIR, "it is a folder")
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    if found.st_size > most:
        raise OSError(errno.EFBIG, f"it is larger than {most // 1024} KiB")


def read_start(path: str | Path, size: int) -> bytes:
    """The first `size` bytes of a regular file; raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return file.read(size)


def read_small(path: str | Path) -> str:
    """The text (UTF-8) of a regular file of at most 64 KiB; raises OSError with the reason."""
    refuse_special(path, MAX_BYTES)
    content = read_start(path, MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise OSError(errno.EFBIG, f"it is larger than {MAX_BYTES // 1024} KiB")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise OSError(errno.EILSEQ, "it is not UTF-8") from None


def write_once(path: Path, text: str) -> None:
    """Create the file `path` with mode 0600, atomically; an existing one is kept."""
    # written under another name first, so that no process ever sees half of it
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink(missing_ok=True)


def create_empty(path: Path) -> None:
    """Create an empty file of mode 0600 if there is none."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))


def is_private(path: Path) -> bool:
    """Whether no other account can use the file that `path` leads to."""
    return not os.stat(path).st_mode & OTHERS


def can_close(path: Path) -> bool:
    """Whether `path` is a regular file of this account, without links to or from it."""
    found = os.lstat(path)
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1 and found.st_uid == os.geteuid()


def close(path: Path, mode: int, *, folder: bool = False) -> None:
    """Remove all permissions that are not in `mode`; raises OSError if `path` is not ours."""
    kind = os.O_DIRECTORY if folder else os.O_NONBLOCK
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind)
    try:
        found = os.fstat(handle)
        ours = stat.S_ISDIR if folder else stat.S_ISREG
        alone = folder or found.st_nlink == 1
        if not (ours(found.st_mode) and alone and found.st_uid == os.geteuid()):
            raise PermissionError(errno.EPERM, "it is not ours to change")
        if found.st_mode & PERMISSIONS & ~mode:
            os.fchmod(handle, stat.S_IMODE(found.st_mode) & ~(PERMISSIONS & ~mode))
    finally:
        os.close(handle)


def make_folder(path: Path, mode: int) -> None:
    """Create `path` with `mode`, and missing parents with 0755."""
    missing = [each for each in path.parents if not each.exists()]
    for parent in reversed(missing):
        parent.mkdir(mode=0o755, exist_ok=True)
    path.mkdir(mode=mode, exist_ok=True)

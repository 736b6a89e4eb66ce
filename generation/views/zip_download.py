"""Several pictures as one zip that is written while it is sent."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Generator, Sequence
from functools import partial
from pathlib import PurePath
from threading import Lock
from typing import ClassVar
from weakref import WeakKeyDictionary

from zipstream import ZIP_DEFLATED, ZipStream

from accounts.log_format import log_line
from generation import images, unicode_text
from generation.models import GeneratedImage
from generation.outages import cause_of
from generation.own_connection import read_in_threads
from generation.views.images import download_name

logger = logging.getLogger(__name__)

CHUNK = 2**18
"""Bytes per read."""

MAX_ZIPS = 2
"""Concurrent zips per user and process: each one keeps the disk busy."""


class TooManyZips(Exception):
    """MAX_ZIPS of this user are being sent already."""


class Zip:
    """The body of a response; counts towards MAX_ZIPS until it is closed or collected."""

    under_way: ClassVar[WeakKeyDictionary[Zip, int]] = WeakKeyDictionary()
    """{zip: owner_id}; weak, so that an abandoned response does not count for ever."""

    lock = Lock()

    def __init__(self, files: Sequence[tuple[str, str]], *, owner_id: int) -> None:
        """Raises TooManyZips."""
        self.files = files
        with self.lock:
            if list(self.under_way.values()).count(owner_id) >= MAX_ZIPS:
                raise TooManyZips
            self.under_way[self] = owner_id

    def __aiter__(self) -> AsyncIterator[bytes]:
        return read_in_threads(chunks_of(self.files))

    def close(self) -> None:
        """Stop counting; Django calls it even if the client left before the first byte."""
        with self.lock:
            self.under_way.pop(self, None)


def named(pictures: Sequence[GeneratedImage]) -> list[tuple[str, str]]:
    """[(file, name in the zip)] of the pictures whose file exists; equal names are numbered."""
    taken: set[str] = set()
    files: list[tuple[str, str]] = []
    for image in pictures:
        if not images.path_of(image.file).is_file():
            logger.warning("%s", log_line("not_in_zip", file=image.file, cause="it is not there"))
            continue
        wanted = PurePath(download_name(image, image.file))
        name = unicode_text.unique_name(wanted.stem, wanted.suffix, taken)
        taken.add(unicode_text.casefolded(name))
        files.append((image.file, name))
    return files


def chunks_of(files: Sequence[tuple[str, str]]) -> Generator[bytes]:
    """A zip without compression, written in one pass; files deleted meanwhile are left out.

    Deflate at level 0 instead of "stored": sizes are written after each entry, and a program
    that cannot seek finds the end of a stored entry only by its size.
    """
    archive = ZipStream(compress_type=ZIP_DEFLATED, compress_level=0)
    for file, name in files:
        try:
            source = images.path_of(file).open("rb")
        except OSError as error:
            logger.warning("%s", log_line("not_in_zip", file=file, cause=cause_of(error)))
            continue
        with source:
            archive.add(iter(partial(source.read, CHUNK), b""), name)
            yield from archive.all_files()
    yield from archive.finalize()

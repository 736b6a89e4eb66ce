"""Several pictures as one zip, written while it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Generator, Sequence
from functools import partial
from pathlib import PurePath
from threading import Lock
from typing import ClassVar
from weakref import WeakKeyDictionary

from zipstream import ZIP_DEFLATED, ZipStream

from accounts.log_escaping import log_line
from generation import images, unicode_text
from generation.log_lines import cause_of
from generation.models import GeneratedImage
from generation.views.images import download_name

logger = logging.getLogger(__name__)

CHUNK = 2**18
"""Bytes that are read at once."""

MAX_ZIPS = 2
"""At once, per person and process: each one keeps the disk busy."""


class TooManyZips(Exception):
    """So many of this person's are being sent already."""


class Zip:
    """The body of an answer; as long as it is sent its owner may not have many more of them."""

    under_way: ClassVar[WeakKeyDictionary[Zip, int]] = WeakKeyDictionary()
    """The owners of this process's; whatever becomes of an answer, it is let go with it."""

    turn = Lock()

    def __init__(self, files: Sequence[tuple[str, str]], *, owner_id: int) -> None:
        """Raises TooManyZips."""
        self.files = files
        with self.turn:
            if list(self.under_way.values()).count(owner_id) >= MAX_ZIPS:
                raise TooManyZips
            self.under_way[self] = owner_id

    def __aiter__(self) -> AsyncIterator[bytes]:
        return zipped(self.files)

    def close(self) -> None:
        """Django calls it, also for a reader who left before the first byte."""
        with self.turn:
            self.under_way.pop(self, None)


def named(pictures: Sequence[GeneratedImage]) -> list[tuple[str, str]]:
    """(file, name in the zip) of each whose file is there; names alike are numbered."""
    taken: set[str] = set()
    files: list[tuple[str, str]] = []
    for image in pictures:
        if not images.path_of(image.file).is_file():
            logger.warning("%s", log_line("not_in_zip", file=image.file, cause="it is not there"))
            continue
        wish = PurePath(download_name(image, image.file))
        name = unicode_text.unique_name(wish.stem, wish.suffix, taken)
        taken.add(unicode_text.casefolded(name))
        files.append((image.file, name))
    return files


async def zipped(files: Sequence[tuple[str, str]]) -> AsyncIterator[bytes]:
    """Off the loop, one chunk at a time: nothing is read that nobody takes."""
    chunks = chunks_of(files)
    try:
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            yield chunk
    finally:
        # a reader that is cut off in the middle of a chunk is closed once it has it
        with contextlib.suppress(ValueError):
            chunks.close()


def chunks_of(files: Sequence[tuple[str, str]]) -> Generator[bytes]:
    """A zip without compression, written in one pass; a file that is deleted meanwhile is left out.

    Deflate at level 0 rather than "stored": the size of an entry follows it, and a reader that
    cannot seek finds the end of a stored entry only by its size.
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

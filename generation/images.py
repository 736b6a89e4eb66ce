"""Picture files: storage and thumbnails."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import struct
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from PIL import Image, ImageCms
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from generation.exceptions import PictureError, StorageError
from generation.image_format import PNG_START, ImageStructure, read_structure
from generation.image_metadata import (
    jpeg_with_comment,
    jpeg_without_comment,
    png_with_text,
    png_without_text,
)

MAX_BASE64 = 64 * 1024 * 1024
"""Far above a lossless 2048² picture; a longer answer is not decoded at all."""

OPENERS = {"JPEG": JpegImageFile, "PNG": PngImageFile}
"""Explicit, because `Image.open` takes a JPEG with appended pictures for another format."""

THUMBNAIL_EDGE = 640

THUMBNAIL_METHOD = 2
"""Of the WebP encoder; its default, 4, takes twice the time for files that are 5 % smaller."""
SRGB = ImageCms.createProfile("sRGB")
SUFFIX = {"JPEG": "jpg", "PNG": "png"}
CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
DELETION_MARK = ".condemned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A checked picture file: its bytes as sent, up to the end of the picture."""

    data: bytes
    format: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def opened(found: ImageStructure) -> Image.Image:
    return OPENERS[found.format](io.BytesIO(found.data))


def with_parameters(picture: Picture, parameters: str) -> Picture:
    """The picture with `parameters` in its metadata; pixel data is unchanged."""
    splice = jpeg_with_comment if picture.format == "JPEG" else png_with_text
    return Picture(
        data=splice(picture.data, parameters),
        format=picture.format,
        width=picture.width,
        height=picture.height,
    )


def with_other_parameters(data: bytes, parameters: str) -> bytes:
    """A stored file with these `parameters` instead of its own; pixel data is unchanged.

    Raises PictureError for a damaged file.
    """
    try:
        if data.startswith(PNG_START):
            return png_with_text(png_without_text(data), parameters)
        return jpeg_with_comment(jpeg_without_comment(data), parameters)
    except struct.error as error:
        raise PictureError(detail=str(error)) from error


def file_name(*, task_id: str, index: int, attempt: int, picture: Picture) -> str:
    """A name below MEDIA_ROOT that is unique to the attempt."""
    suffix = SUFFIX[picture.format]
    return f"{task_id}/{index}-{attempt}-{picture.sha256[:8]}.{suffix}"


def content_type(name: str) -> str:
    """Content type by suffix; the system's own table may lack some."""
    return CONTENT_TYPES[name.rpartition(".")[2]]


def path_of(name: str) -> Path:
    return Path(settings.MEDIA_ROOT) / name


def write(name: str, data: bytes) -> None:
    """Write `data` to `name` atomically; raises StorageError."""
    path = path_of(name)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise StorageError(detail=os_error_text(error, path)) from error


def free_space() -> tuple[int, int]:
    """Free and total bytes of the file system below MEDIA_ROOT; raises OSError."""
    root = Path(settings.MEDIA_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    room = os.statvfs(root)
    return room.f_bavail * room.f_frsize, room.f_blocks * room.f_frsize


def os_error_text(error: OSError, path: Path) -> str:
    """Name of the error, its message and the file: "ENOSPC: No space left …".

    Errors of an open file, such as a full disk, do not name it; `path` is used then.
    """
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    return f"{name}: {error.strerror or error}: {error.filename or path}"


def sync_folder(folder: Path) -> None:
    """Sync a folder so that a rename survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # some file systems cannot sync a folder; the rename is done all the same
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def remove(name: str) -> None:
    """Delete the file if it exists, and its folder if empty."""
    path = path_of(name)
    path.unlink(missing_ok=True)
    try:
        path.parent.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.ENOENT, errno.EEXIST):
            raise


def mark_for_deletion(folder: str) -> None:
    """Mark `folder` so that a later cleanup removes it, if it exists."""
    if path_of(folder).is_dir():
        path_of(f"{folder}/{DELETION_MARK}").touch()
        sync_folder(path_of(folder))


def remove_folder(folder: str) -> int:
    """Delete a marked folder, its mark last; return how many files it had."""
    path = path_of(folder)
    names = [each.name for each in path.iterdir()] if path.is_dir() else []
    names = [name for name in names if name != DELETION_MARK]
    for name in [*names, DELETION_MARK]:
        remove(f"{folder}/{name}")
    return len(names)


def folders() -> list[str]:
    root = Path(settings.MEDIA_ROOT)
    return sorted(each.name for each in root.iterdir() if each.is_dir()) if root.is_dir() else []


def files_before(folder: str, moment: datetime) -> list[str]:
    """Files of `folder` that were last written before `moment`."""
    paths = path_of(folder).iterdir()
    return [f"{folder}/{path.name}" for path in paths if written_before(path, moment)]


def written_before(path: Path, moment: datetime) -> bool:
    """Whether the file is older than `moment`; False if it was removed meanwhile."""
    try:
        return path.stat().st_mtime < moment.timestamp()
    except FileNotFoundError:
        return False


def thumbnail_width(width: int, height: int) -> int:
    """Width of the thumbnail of a picture of this size."""
    return round(width * min(1.0, THUMBNAIL_EDGE / max(width, height)))


def make_thumbnail(name: str) -> str:
    """Write a small WebP beside picture `name`; return its name. Raises StudioError."""
    return write_thumbnail(name, thumbnail_of(read(name)))


def read(name: str) -> bytes:
    return path_of(name).read_bytes()


def thumbnail_of(data: bytes) -> bytes:
    """A small WebP of the picture file `data`; raises PictureError."""
    buffer = io.BytesIO()
    found = read_structure(data)
    try:
        with opened(found) as image:
            image.draft("RGB", (THUMBNAIL_EDGE * 2, THUMBNAIL_EDGE * 2))
            profile = image.info.get("icc_profile")
            small = can_be_scaled(image)
            small.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE))
            in_srgb(small, profile).save(buffer, "WEBP", quality=82, method=THUMBNAIL_METHOD)
    except Exception as error:
        raise PictureError from error
    return buffer.getvalue()


def can_be_scaled(image: Image.Image) -> Image.Image:
    """Convert palettes and 16-bit grey, which cannot be interpolated."""
    if image.mode.startswith("I"):
        # Pillow has no other conversion
        return image.convert("I").point(lambda grey: grey * 2**-8).convert("L")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("RGB") if image.mode in ("P", "1") else image


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB or RGBA in sRGB; an unreadable profile is ignored."""
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    opaque = image.convert("RGB") if alpha else image
    colours = opaque
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError, ValueError):
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(opaque, source, SRGB, outputMode="RGB")
            colours = converted or opaque
    colours = colours.convert("RGB")
    if alpha:
        colours.putalpha(alpha)
    return colours


def write_thumbnail(name: str, data: bytes) -> str:
    """Write the thumbnail of picture `name`; return its name. Raises StorageError."""
    thumbnail = f"{name}.thumb.webp"
    write(thumbnail, data)
    return thumbnail

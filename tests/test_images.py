"""Images: accepted and refused bytes, and written files."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from PIL import Image, ImageCms

from generation import image_check, images
from generation.error_codes import ErrorCode
from generation.exceptions import PictureError, StorageError
from generation.image_format import read_structure
from generation.image_similarity import similarity_of
from generation.selectors.similar_pictures import is_near
from tests.pictures import as_base64, jpeg, picture, png, png_chunk


@pytest.fixture
def media(tmp_path: Path) -> Path:
    return tmp_path / "media"


def bomb(edge: int = 10_000, rows: int = 10_000) -> bytes:
    """A PNG of a few kB that says it is edge × edge pixels, and has `rows` of them."""
    header = struct.pack(">IIBBBBB", edge, edge, 1, 0, 0, 0, 0)
    data = zlib.compress(bytes((edge + 7) // 8 + 1) * rows, 9)
    chunks = png_chunk(b"IHDR", header), png_chunk(b"IDAT", data), png_chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(("data", "kind"), [(jpeg(), "JPEG"), (png(), "PNG")])
def test_a_whole_picture_of_the_right_size_is_taken(data: bytes, kind: str) -> None:
    taken = image_check.decode(as_base64(data), width=512, height=512)

    assert (taken.format, taken.data) == (kind, data)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not base64!", ErrorCode.BAD_PICTURE),
        ("", ErrorCode.BAD_PICTURE),
        (as_base64(b"hello"), ErrorCode.BAD_PICTURE),
        (as_base64(jpeg()[:-200]), ErrorCode.BAD_PICTURE),
        (as_base64(jpeg())[:-5], ErrorCode.BAD_PICTURE),
        (as_base64(b"GIF89a" + bytes(100)), ErrorCode.BAD_PICTURE),
        (as_base64(jpeg(512, 528)), ErrorCode.PICTURE_TOO_LARGE),
        (as_base64(bomb()), ErrorCode.PICTURE_TOO_LARGE),
        (as_base64(bomb(60_000, rows=1)), ErrorCode.PICTURE_TOO_LARGE),
    ],
    ids=["text", "nothing", "bytes", "cut", "cut-base64", "gif", "size", "bomb", "huge-header"],
)
def test_anything_else_is_refused(text: str, code: ErrorCode) -> None:
    with pytest.raises(PictureError) as refused:
        image_check.decode(text, width=512, height=512)

    assert refused.value.code == code


@pytest.mark.parametrize("data", [jpeg(), png()], ids=["jpeg", "png"])
def test_settings_are_spliced_in_and_no_pixel_changes(data: bytes) -> None:
    before = image_check.decode(as_base64(data), width=512, height=512)

    after = images.with_parameters(before, "柳岸\nSteps: 9, Seed: 7")

    with Image.open(io.BytesIO(before.data)) as old, Image.open(io.BytesIO(after.data)) as new:
        assert old.tobytes() == new.tobytes()
        if after.format == "PNG":
            assert new.info["parameters"] == "柳岸\nSteps: 9, Seed: 7"
        else:
            raw = new.getexif().get_ifd(0x8769)[0x9286]
            assert raw == b"UNICODE\0" + "柳岸\nSteps: 9, Seed: 7".encode("utf-16-be")
    assert len(after.data) < len(before.data) + 300


def test_a_two_thousand_letter_prompt_fits_into_the_file() -> None:
    taken = images.with_parameters(picture(), "柳" * 4_100)

    with Image.open(io.BytesIO(taken.data)) as opened:
        assert opened.size == (512, 512)


def test_a_file_is_there_whole_or_not_at_all(media: Path) -> None:
    with override_settings(MEDIA_ROOT=media):
        images.write("task/1-1-abc.jpg", b"picture")
        (media / "blocked").write_bytes(b"a file where a folder should be")
        with pytest.raises(StorageError):
            images.write("blocked/1-1-abc.jpg", b"picture")

    assert sorted(path.name for path in media.rglob("*") if path.is_file()) == [
        "1-1-abc.jpg",
        "blocked",
    ]


def test_a_full_disk_leaves_no_half_file(media: Path) -> None:
    (media / "task").mkdir(parents=True)
    # whatever is written there meets "no space left on device"
    (media / "task" / ".1-1-abc.jpg.part").symlink_to("/dev/full")
    with override_settings(MEDIA_ROOT=media), pytest.raises(StorageError) as full:
        images.write("task/1-1-abc.jpg", b"picture")

    assert not list((media / "task").iterdir())
    assert f"ENOSPC: No space left on device: {media}/task/1-1-abc.jpg" in str(full.value)


def test_removing_takes_the_empty_folder_along_and_is_repeatable(media: Path) -> None:
    with override_settings(MEDIA_ROOT=media):
        images.write("task/1.jpg", b"1")
        images.write("task/2.jpg", b"2")
        images.remove("task/1.jpg")
        images.remove("task/1.jpg")
        assert (media / "task").exists()
        images.remove("task/2.jpg")

    assert not (media / "task").exists()


def test_a_thumbnail_is_small_and_keeps_the_ratio(media: Path) -> None:
    with override_settings(MEDIA_ROOT=media):
        images.write("task/1.jpg", jpeg(1024, 512))
        name = images.make_thumbnail("task/1.jpg")
        with Image.open(images.path_of(name)) as small:
            assert (small.format, small.size) == ("WEBP", (640, 320))


def shading(*greys: int, edge: int = 512) -> bytes:
    """The thumbnail of a picture with columns of these greys."""
    small = Image.new("L", (len(greys), 1))
    small.putdata(greys)
    buffer = io.BytesIO()
    large = small.resize((edge, edge), Image.Resampling.BICUBIC).convert("RGB")
    large.save(buffer, "JPEG", quality=70)
    return images.thumbnail_of(buffer.getvalue())


def test_pictures_that_look_alike_have_like_hashes() -> None:
    one = similarity_of(shading(0, 200, 40, 90, 250))
    same = similarity_of(shading(10, 190, 50, 100, 240, edge=768))
    other = similarity_of(shading(250, 90, 40, 200, 0))

    assert one is not None
    assert same is not None
    assert other is not None
    assert is_near(one, same)
    assert not is_near(one, other)
    assert -(2**63) <= one < 2**63


def test_a_flat_picture_is_like_no_other() -> None:
    assert similarity_of(images.thumbnail_of(jpeg())) is None


def test_two_attempts_never_share_a_file_name() -> None:
    names = {
        images.file_name(task_id="t", index=1, attempt=attempt, picture=picture())
        for attempt in (1, 2)
    }

    assert len(names) == 2


def test_base64_of_an_absurd_length_is_not_even_decoded() -> None:
    text = base64.b64encode(bytes(3)).decode() * (images.MAX_BASE64 // 4 + 1)

    with pytest.raises(PictureError) as refused:
        image_check.decode(text, width=512, height=512)

    assert refused.value.code == ErrorCode.PICTURE_TOO_LARGE


def with_chunks(data: bytes, chunks: bytes) -> bytes:
    """PNG `data` with more behind its header chunk."""
    at = 8 + 25
    return data[:at] + chunks + data[at:]


def progressive(scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    buffer = io.BytesIO()
    Image.new("RGB", (512, 512), "teal").save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    begin, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[begin:end] * (scans - data.count(b"\xff\xda")) + data[end:]


def of_scans(count: int) -> bytes:
    """The first `count` of the ten scans of a progressive JPEG."""
    first, *rest = progressive(10)[:-2].split(b"\xff\xda")
    return b"\xff\xda".join([first, *rest[:count]]) + b"\xff\xd9"


def of_another_frame(marker: int) -> bytes:
    return jpeg().replace(b"\xff\xc0", bytes([0xFF, marker]), 1)


def segments(marker: int, count: int, size: int = 60_000) -> bytes:
    return (b"\xff" + bytes([marker]) + struct.pack(">H", size + 2) + bytes(size)) * count


def several(kind: str) -> bytes:
    """A file of two pictures."""
    buffer = io.BytesIO()
    first, second = (Image.new("RGB", (512, 512), colour) for colour in ("teal", "red"))
    first.save(buffer, kind, save_all=True, append_images=[second])
    return buffer.getvalue()


def deep(mode: str) -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (512, 512), 30_000 if mode == "I;16" else None).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("end", [b"", b"\0", b"tail" * 1_000, jpeg(64, 64), b"\xff\xd9"])
@pytest.mark.parametrize("data", [jpeg(), png(), progressive(10)], ids=["jpeg", "png", "scans"])
def test_what_follows_the_picture_is_left_out(data: bytes, end: bytes) -> None:
    assert image_check.decode(as_base64(data + end), width=512, height=512).data == data


@pytest.mark.parametrize("kind", ["MPO", "PNG"])
def test_of_several_pictures_in_a_file_the_first_is_taken(kind: str) -> None:
    taken = image_check.decode(as_base64(several(kind)), width=512, height=512)

    with Image.open(io.BytesIO(taken.data), formats=["JPEG", "PNG"]) as image:
        assert getattr(image, "n_frames", 1) == 1 or kind == "MPO"
    assert len(taken.data) < len(several(kind))
    assert images.thumbnail_of(taken.data)


def swapped_profile() -> bytes:
    """A profile of sRGB whose red and green primaries have changed places."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    table, rest = profile[:400], profile[400:]
    swapped = table.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    return swapped + rest


@pytest.mark.parametrize(
    ("mode", "colour", "saved", "shown"),
    [
        ("RGBA", (200, 40, 40, 100), {"format": "PNG"}, (200, 40, 40, 100)),
        ("LA", (90, 128), {"format": "PNG"}, (90, 90, 90, 128)),
        ("RGB", (200, 40, 40), {"format": "PNG", "transparency": (200, 40, 40)}, (0, 0, 0, 0)),
        ("P", 0, {"format": "PNG", "transparency": 0}, (0, 0, 0, 0)),
        ("I;16", 30_000, {"format": "PNG"}, (117, 117, 117, 255)),
        ("CMYK", (0, 255, 255, 0), {"format": "JPEG", "quality": 100}, (254, 0, 0, 255)),
        ("RGB", (255, 0, 0), {"format": "PNG", "icc_profile": swapped_profile()}, (0, 255, 0, 255)),
        (
            "RGBA",
            (255, 0, 0, 9),
            {"format": "PNG", "icc_profile": swapped_profile()},
            (0, 255, 0, 9),
        ),
        ("RGB", (9, 99, 199), {"format": "PNG", "icc_profile": b"no profile"}, (9, 99, 199, 255)),
    ],
)
def test_a_thumbnail_looks_like_its_picture(
    mode: str, colour: Any, saved: dict[str, Any], shown: tuple[int, ...]
) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (512, 512), colour).save(buffer, **saved)

    with Image.open(io.BytesIO(images.thumbnail_of(buffer.getvalue()))) as thumbnail:
        seen = thumbnail.convert("RGBA").getpixel((300, 300))

    assert isinstance(seen, tuple)
    assert seen[3] == shown[3]
    # a transparent pixel has no colour
    assert not seen[3] or all(abs(a - b) <= 6 for a, b in zip(seen, shown, strict=True)), seen


@pytest.mark.parametrize("mode", ["I;16", "L", "LA", "P", "RGBA", "1"])
def test_a_picture_of_any_depth_is_taken_and_has_a_thumbnail(mode: str) -> None:
    taken = image_check.decode(as_base64(deep(mode)), width=512, height=512)

    with Image.open(io.BytesIO(images.thumbnail_of(taken.data))) as thumbnail:
        assert thumbnail.size == (512, 512)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(progressive(33), id="scans"),
        pytest.param(progressive(2_500), id="many scans"),
        pytest.param(jpeg()[:2] + segments(0xE1, 20) + jpeg()[2:], id="EXIF"),
        pytest.param(jpeg()[:2] + segments(0xE2, 20) + jpeg()[2:], id="ICC"),
        pytest.param(jpeg()[:2] + segments(0xFE, 1_000, 2) + jpeg()[2:], id="segments"),
        pytest.param(jpeg()[:2] + b"\xff" * 100_000, id="fill bytes"),
        pytest.param(jpeg()[:2] + jpeg(), id="two beginnings"),
        pytest.param(jpeg()[:-2], id="no end"),
        pytest.param(jpeg()[:20], id="no frame"),
        pytest.param(of_another_frame(0xC3), id="lossless"),
        pytest.param(of_another_frame(0xC9), id="arithmetic"),
        pytest.param(of_another_frame(0xCA), id="arithmetic, progressive"),
        *(pytest.param(of_scans(n), id=f"only {n} of ten scans") for n in (1, 5, 6, 9)),
        pytest.param(with_chunks(png(), png_chunk(b"IDAT") * 9_000), id="empty chunks"),
        pytest.param(with_chunks(png(), png_chunk(b"tEXt") * 9_000), id="empty texts"),
        pytest.param(with_chunks(png(), png_chunk(b"IHDR")), id="two headers"),
        pytest.param(
            with_chunks(png(), struct.pack(">I", 2_000_000) + b"zTXt" + bytes(2_000_004)), id="text"
        ),
        pytest.param(with_chunks(png(), png_chunk(b"QQQQ")), id="unknown chunk"),
        pytest.param(png()[:8] + png()[33:], id="no header"),
        pytest.param(png()[:-12], id="no last chunk"),
        pytest.param(png()[:8] + struct.pack(">I", 2**31) + b"IHDR", id="too long a chunk"),
    ],
)
def test_more_than_a_picture_has_is_refused_before_it_is_decoded(data: bytes) -> None:
    with pytest.raises(PictureError) as refused:
        read_structure(data, (512, 512))

    assert refused.value.code == ErrorCode.BAD_PICTURE

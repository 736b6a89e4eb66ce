"""The picture in a response is found without parsing it, whatever else it contains."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest

from generation.choices import Route
from generation.xinference.base64_image import base64_image

PIXELS = "/9j/" + "A+b/abcdefghijkl" * 12_000
ANSWERS: list[dict[str, Any]] = [
    {"images": [PIXELS]},
    {"images": [PIXELS], "info": {"created": 1}, "parameters": {"prompt": 'a "b" \\ c\\'}},
    {"parameters": {"prompt": "\\" * 9, "negative": '"' * 100}, "images": [PIXELS]},
    {"images": ["/9j/short"], "info": "x" * 50_000},
    {"images": ["/9j/"]},
]


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_one_picture_is_found(answer: dict[str, Any]) -> None:
    body = json.dumps(answer).encode()
    pixels = answer["images"][0]

    assert base64_image(bytearray(body), Route.TXT2IMG) == pixels
    assert base64_image(body.replace(b"/", b"\\/"), Route.TXT2IMG) == pixels
    assert base64_image(body, Route.GENERATIONS) is None

    other = json.dumps({"created": 1, "data": [{"url": None, "b64_json": pixels}]}).encode()
    assert base64_image(other, Route.GENERATIONS) == pixels


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b'"', b'{"images": []}', b'{"images": ["a", "b"]}', b'{"images": [["a"]]}'),
        *(b'{"images": "a"}', b'{"images": [""]}', b'{"images": ["a]}', b'{"images": ["a"'),
        b'["images", "a"]',
        b'{"images": ["' + b"a\\n" * 90_000 + b'"]}',
        b'{"images": ["' + "é".encode() * 90_000 + b'"]}',
        b'{"images": ["' + b"\\" * 90_000,
        b'{"images": ["' + b'\\"' * 90_000,
        b'{"images": ["a"], "b": ' + b"[" * 30_000,
    ],
    ids=lambda body: ascii(body[:24]),
)
def test_an_answer_without_one_picture_has_none(body: bytes) -> None:
    assert base64_image(body, Route.TXT2IMG) is None


@pytest.mark.parametrize("part", [b"[],", b"{},", b"9,", b'"a",', b'"aaa":[],', b"[", b"9", b'"'])
def test_a_large_answer_without_a_picture_is_never_parsed(part: bytes) -> None:
    body = b'{"a": [' + part * (3_000_000 // len(part)) + b'0], "images": ["a"]}'

    tracemalloc.start()
    try:
        assert base64_image(body, Route.TXT2IMG) is None
        _kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2 * len(body)

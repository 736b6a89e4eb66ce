"""Scripted faults; the docstring of the package describes their format."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from demo_xinference import nonsense

DOES = frozenset(
    {
        "status", "drop", "hang", "die", "stall", "hold", "slow", "freeze_progress", "creep",
        "delay_decode", "loading",
        "not_json", "empty", "not_base64", "not_image", "truncated", "bomb", "scans", "tail",
        "wrong_size", "nonsense",
    }
)  # fmt: skip
PLACES = frozenset({"draw", "progress", "abort", "models", "replicas"})
KEYS = frozenset(
    {"do", "times", "step", "seconds", "on", "status", "detail", "retry_after", "kind"}
)
MATCH_KEYS = frozenset({"call", "prompt_contains", "steps"})
TEXTS = frozenset({"do", "on", "detail", "kind", "prompt_contains"})
OPTIONAL = frozenset({"call", "prompt_contains", "steps", "times", "retry_after"})
"""Keys that may be null, as if they were not there."""

MOST = 10**9
"""Largest number in a fault; a timer cannot be set for arbitrarily many seconds."""

BOMB_EDGE = 10_000
SCANS = 2_500
TAIL = 64 * 1024


class FaultError(ValueError):
    """A fault is invalid."""


@dataclass(slots=True, kw_only=True)
class Fault:
    do: str
    on: str = "draw"
    call: int | None = None
    prompt_contains: str | None = None
    steps: int | None = None
    times: int | None = None
    step: int = 1
    seconds: float = 5.0
    status: int = 500
    detail: str = "a scripted fault"
    retry_after: int | None = None
    kind: str = "null"
    times_applied: int = field(default=0, init=False)

    @property
    def at_start(self) -> bool:
        return self.do == "loading" and (self.call, self.prompt_contains, self.steps) == 3 * (None,)

    def comes_after(self, step: int) -> bool:
        return self.do == "slow" or self.step == step

    def applies(self, on: str, call: int = 0, prompt: str = "", steps: int = 0) -> bool:
        """Whether the fault applies to this call; counts how often it did."""
        hit = (
            self.on == on
            and not self.at_start
            and (self.call is None or self.call == call)
            and (self.prompt_contains is None or self.prompt_contains in prompt)
            and (self.steps is None or self.steps == steps)
            and (self.times is None or self.times_applied < self.times)
        )
        self.times_applied += hit
        return hit


def parse(entry: Fault | Mapping[str, Any]) -> Fault:
    """Parse one fault; raises FaultError."""
    if isinstance(entry, Fault):
        return entry
    match = entry.get("match", {}) if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(match, Mapping):
        raise FaultError(f"a fault and its match must be objects: {entry!r}")
    values = {key: value for key, value in entry.items() if key != "match"}
    unknown = (values.keys() - KEYS) | (match.keys() - MATCH_KEYS)
    if unknown:
        raise FaultError(f"unknown in a fault: {', '.join(sorted(unknown))}")
    for key, value in (*values.items(), *match.items()):
        check_value(key, value)
    if values.get("do") not in DOES or values.get("on", "draw") not in PLACES:
        raise FaultError(f"not a fault: {entry!r}")
    if values.get("kind", "null") not in nonsense.KINDS:
        raise FaultError(f"no nonsense of this kind: {entry!r}")
    return Fault(**values, **match)


def check_value(key: str, value: Any) -> None:
    """Raise FaultError if the value of this key has the wrong type or is out of range."""
    if value is None and key in OPTIONAL:
        return
    if key in TEXTS:
        if not isinstance(value, str):
            raise FaultError(f"{key} in a fault must be a text, not {value!r}")
        return
    kind, name = (float, "number") if key == "seconds" else (int, "whole number")
    least, most = (100, 599) if key == "status" else (0, MOST)
    is_number = isinstance(value, kind | int) and not isinstance(value, bool)
    if not is_number or not least <= value <= most:
        raise FaultError(f"{key} in a fault must be a {name} from {least} to {most}, not {value!r}")


def parse_all(entries: Iterable[Fault | Mapping[str, Any]]) -> list[Fault]:
    return [parse(each) for each in entries]


def load(path: str) -> list[Fault]:
    """The faults in a JSON file; raises OSError, FaultError."""
    with open(path, encoding="utf-8") as file:
        try:
            entries = json.load(file)
        except (ValueError, RecursionError) as error:
            raise FaultError(f"{path} is not JSON: {error}") from error
    if not isinstance(entries, list):
        raise FaultError(f"{path} holds no list")
    return parse_all(entries)


def unusable_images(do: str, picture: bytes) -> list[str]:
    """The list of base64 texts that is sent instead of the picture's."""
    if do == "empty":
        return []
    if do == "not_base64":
        return ["这不是 base64!"]
    if do == "not_image":
        return [base64.b64encode(b"<html>not a picture</html>").decode()]
    if do == "truncated":
        return [base64.b64encode(picture[: len(picture) // 2]).decode()]
    if do == "bomb":
        return [base64.b64encode(bomb()).decode()]
    if do == "scans":
        return [base64.b64encode(scans(picture)).decode()]
    if do == "tail":
        return [base64.b64encode(picture + bytes(TAIL)).decode()]
    return [base64.b64encode(picture).decode()]


def scans(picture: bytes) -> bytes:
    """The picture as a progressive JPEG whose last scan is repeated."""
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    begin, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:end] + data[begin:end] * SCANS + data[end:]


def bomb() -> bytes:
    """A PNG of a few kilobytes with 10,000 × 10,000 pixels."""
    head = struct.pack(">IIBBBBB", BOMB_EDGE, BOMB_EDGE, 1, 0, 0, 0, 0)
    row = bytes(1 + (BOMB_EDGE + 7) // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(BOMB_EDGE)) + packer.flush()
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )

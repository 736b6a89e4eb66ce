"""The settings in a picture's metadata, read by an independent tool."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from generation import metadata_text

PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')


def read_back(text: str) -> dict[str, Any]:
    """What the lines say; a pair that names a prompt knows it better than the lines do."""
    *lines, last = text.split("\n")
    pairs = {name: unquoted(value) for name, value in PAIR.findall(last)}
    at = next((n for n, line in enumerate(lines) if line.startswith("Negative prompt:")), None)
    negative = lines[at:] if at is not None else []
    said = {
        "Prompt": "\n".join(lines[:at]),
        "Negative prompt": "\n".join(negative).removeprefix("Negative prompt:").strip(),
    }
    return said | pairs


def unquoted(value: str) -> str:
    return str(json.loads(value)) if value.startswith('"') else value


@pytest.mark.parametrize(
    "prompt",
    [
        *("a heron", "a heron, ink\nBREAK\nwillow: two, three", "no\nNegative prompt: none"),
        *("Negative prompt: everything", "  Negative prompt: indented"),
        "ends like settings\nSteps: 20, Sampler: Euler, CFG scale: 7",
        'quotes " and \\ strokes',
        "柳岸 🌸",
    ],
)
@pytest.mark.parametrize("negative_prompt", ["", "blurry, low", "a\nNegative prompt: b"])
@pytest.mark.parametrize("model", ["LiuJuan", "xl, turbo: v2", 'the "best"', "a/b c"])
def test_what_was_asked_for_can_be_read_back(prompt: str, negative_prompt: str, model: str) -> None:
    text = metadata_text.to_text(
        prompt=prompt,
        negative_prompt=negative_prompt,
        steps=9,
        guidance=3.5,
        seed=4294967295,
        width=512,
        height=768,
        model=model,
    )

    read = read_back(text)

    assert (read["Prompt"], read["Negative prompt"]) == (prompt, negative_prompt)
    assert (read["Steps"], read["CFG scale"], read["Seed"]) == ("9", "3.5", "4294967295")
    assert (read["Size"], read["Model"]) == ("512x768", model)

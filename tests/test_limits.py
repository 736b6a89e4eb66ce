"""Limits stand in generation/limits.py alone; what else names them reads them there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from django.utils import translation

from generation import limits
from generation.error_codes import ErrorCode
from tests.prebuilt import ROOT

STANDS_ONCE = {limits.MIN_SIDE, limits.MAX_SIDE, limits.MAX_PROMPT}
IGNORED = re.compile(r"\b[A-Z_]+_MS = [\d_]+|https?://\S+")
"""Times in milliseconds and namespaces of XML are no limits."""

NUMBER = re.compile(r"(?<![\w.#&%-])\d[\d_,]*(?![\w%])")


def numbers_in_python(text: str) -> Iterator[int]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            yield node.value
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from numbers_in_text(node.value)


def numbers_in_text(text: str) -> Iterator[int]:
    for found in NUMBER.findall(IGNORED.sub("", text)):
        yield int(re.sub(r"[_,]", "", found))


def test_the_numbers_of_limits_stand_in_one_module() -> None:
    python = [
        path for path in (ROOT / "generation").rglob("*.py") if path.parent.name != "migrations"
    ]
    others = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static/studio/js").rglob("*.js")]
    found = {
        (str(path.relative_to(ROOT)), number)
        for paths, numbers_in in ((python, numbers_in_python), (others, numbers_in_text))
        for path in paths
        for number in numbers_in(path.read_text(encoding="utf-8"))
        if number in STANDS_ONCE
    }

    assert found == {("generation/limits.py", number) for number in STANDS_ONCE}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize(
    ("code", "numbers"),
    [
        (ErrorCode.PROMPT_TOO_LONG, [limits.MAX_PROMPT]),
        (ErrorCode.SIZE_INVALID, [limits.SIDE_MULTIPLE, limits.MIN_SIDE, limits.MAX_SIDE]),
        (ErrorCode.COUNT_INVALID, [limits.MAX_IMAGES]),
        (ErrorCode.STEPS_INVALID, [limits.MAX_STEPS]),
        (ErrorCode.GUIDANCE_INVALID, [limits.MAX_GUIDANCE]),
        (ErrorCode.SEED_INVALID, [limits.MAX_SEED]),
        (ErrorCode.TOO_LONG, [limits.MAX_MESSAGE_BYTES]),
        (ErrorCode.TOO_MANY_ATTACHED, [limits.MAX_ATTACHED]),
        (ErrorCode.TOO_MANY_PICTURES, [limits.MAX_SELECTED]),
    ],
)
def test_sentences_name_the_limits(language: str, code: ErrorCode, numbers: list[int]) -> None:
    with translation.override(language):
        sentence = str(code.label)

    assert "{" not in sentence
    assert set(numbers) <= {
        int(each.replace(",", "")) for each in re.findall(r"\d[\d,]*", sentence)
    }

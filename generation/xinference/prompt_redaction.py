"""Hides prompts that messages of the model server quote."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "…"
SHARED_RUN = 8
"""Length of a common run of characters that proves that a message quotes the prompt."""

SHARED_IDEOGRAPHS = 3
"""The same in scripts that write a word with one or two characters."""


def without_prompts(text: str, prompts: Iterable[str]) -> str:
    """`text` with every long run of characters hidden that comes from a prompt.

    Validators quote prompts whole, cut in the middle, or escaped.
    """
    hidden = [False] * len(text)
    for prompt in prompts:
        for form in forms_of(prompt):
            hide_shared(text, form, hidden)
    return re.sub(
        f"{HIDDEN}+", HIDDEN, "".join(HIDDEN if h else c for c, h in zip(text, hidden, strict=True))
    )


def forms_of(prompt: str) -> set[str]:
    """The prompt as it is and in the usual forms of quoting."""
    words = prompt.strip()
    if not words:
        return set()
    return {
        words,
        " ".join(words.split()),
        json.dumps(words)[1:-1],
        json.dumps(words, ensure_ascii=False)[1:-1],
        repr(words)[1:-1],
        html.escape(words),
        quote(words, errors="replace"),
    }


def hide_shared(text: str, form: str, hidden: list[bool]) -> None:
    """Mark the characters of `text` that belong to a run of `form`."""
    if len(form) < SHARED_RUN:
        # shorter than a run: hidden only as a whole word
        pattern = rf"(?<![\w]){re.escape(form)}(?![\w])" if form.isascii() else re.escape(form)
        for match in re.finditer(pattern, text):
            hidden[match.start() : match.end()] = [True] * len(match[0])
    runs = {form[at : at + SHARED_RUN] for at in range(len(form) - SHARED_RUN + 1)}
    short = {form[at : at + SHARED_IDEOGRAPHS] for at in range(len(form) - SHARED_IDEOGRAPHS + 1)}
    ideographs = {run for run in short if all(ord(character) > 0x2E7F for character in run)}
    for at in range(len(text)):
        for length, known in ((SHARED_RUN, runs), (SHARED_IDEOGRAPHS, ideographs)):
            if text[at : at + length] in known:
                hidden[at : at + length] = [True] * length

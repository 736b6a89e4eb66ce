"""Maps error messages of the model server to codes, and hides prompts that they quote.

Servers and engines have no error codes, only messages. Known messages get a code with advice; for
others the code of the status stays.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

from generation.error_codes import ErrorCode

HIDDEN = "…"
SHARED_RUN = 8
"""Length of a common run of characters that proves that a message quotes the prompt."""

SHARED_IDEOGRAPHS = 3
"""The same in scripts that write a word with one or two characters."""

MEMORY = re.compile(
    r"""
    out[ _-]?of[ _-]?(?:\w+[ _-])?memory | outof(?:device|host|gpu)?memory | \boom\b
    | (?:not\ enough|insufficient|no\ available|no\ free)\ (?:\w+\ ){0,2}(?:memory|vram)
    | (?:can(?:no|')t|could\ not|failed\ to|unable\ to)\ allocate
    | tried\ to\ allocate | allocation\ on\ device | memory\ allocation\ (?:failed|error|failure)
    | alloc_failed | bad_alloc | memoryallocation | \bmemoryerror\b | resource[ _]exhausted
    | invalid\ buffer\ size | free\ memory\ on\ device | exceeds?\ (?:the\ )?(?:gpu|device)\ memory
    | 显存不足 | 内存不足 | 显存溢出
    """,
    re.VERBOSE | re.IGNORECASE,
)
PROMPT = re.compile(
    r"""
    content[ _-]?polic | content[ _-]?filter | content[ _-]?moderation | \bmoderation\b
    | safety[ _-]?(?:system|checker|filter|polic) | \bnsfw\b | inappropriate | data_?inspection
    | sensitive\ (?:word|content|information) | (?:usage|use)\ polic
    | \bprompts?\b[^.;\n]{0,60}\b(?:too\ long|length|reject|refus|block|flag|not\ allowed|violat)
    | (?:invalid|reject|refus|block|flag|disallow|forbid|unsafe|harmful)\w*\ (?:\w+\ ){0,2}prompt
    | 敏感 | 违规 | 违禁 | 提示词
    """,
    re.VERBOSE | re.IGNORECASE,
)
SIZE = re.compile(
    r"""
    \b(?:height|width|resolution|image\ size)\b[^\n]{0,80}\b(?:divisible\ by|multiples?\ of)\b
    | \b(?:divisible\ by|multiples?\ of)\b[^\n]{0,80}\b(?:height|width|resolution|image\ size)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
NAMES_A_SIZE = re.compile(
    r"""
    \b(?:height|width|resolutions?|pixels?|aspect[ _]ratio)\b
    | (?<!batch\ )(?<!batch_)(?<!hidden\ )\bsizes?\b | divisible\ by | 尺寸 | 分辨率
    """,
    re.VERBOSE | re.IGNORECASE,
)
NAMES_THE_PROMPT = re.compile(r"\bprompts?\b", re.IGNORECASE)

REFUSALS = (400, 413, 422)
"""Statuses that mean a bad request: one word of the message tells which part."""


def known_error(status: int, words: str) -> ErrorCode | None:
    """The code of a known message; None for any other."""
    if MEMORY.search(words):
        return ErrorCode.OUT_OF_MEMORY
    if PROMPT.search(words):
        return ErrorCode.PROMPT_REFUSED
    if SIZE.search(words):
        return ErrorCode.SIZE_REFUSED
    if status in REFUSALS and NAMES_A_SIZE.search(words):
        return ErrorCode.SIZE_REFUSED
    if status in REFUSALS and NAMES_THE_PROMPT.search(words):
        return ErrorCode.PROMPT_REFUSED
    return None


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

"""Maps error messages of the model server to codes.

Servers and engines have no error codes, only messages. Known messages get a code with advice; for
others the code of the status stays.
"""

from __future__ import annotations

import re

from generation.error_codes import ErrorCode

OUT_OF_MEMORY = re.compile(
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


def known_error(status: int, message: str) -> ErrorCode | None:
    """The code of a known message; None for any other."""
    if OUT_OF_MEMORY.search(message):
        return ErrorCode.OUT_OF_MEMORY
    if PROMPT.search(message):
        return ErrorCode.PROMPT_REFUSED
    if SIZE.search(message):
        return ErrorCode.SIZE_REFUSED
    if status in REFUSALS and NAMES_A_SIZE.search(message):
        return ErrorCode.SIZE_REFUSED
    if status in REFUSALS and NAMES_THE_PROMPT.search(message):
        return ErrorCode.PROMPT_REFUSED
    return None

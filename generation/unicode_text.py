"""Text that people write: whether it says anything, how it is searched, what a file is named."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container

UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters, marks and symbols that are drawn as nothing, although their category does not say so."""

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Mc", "Me"})
"""Categories that show nothing by themselves; marks need a letter. Unassigned code points are
not among them: they are the emoji of a newer Unicode than Python's."""


def is_blank(text: str) -> bool:
    """Whether `text` holds no character that a reader could see."""
    return all(unicodedata.category(c) in INVISIBLE for c in UNSEEN.sub("", text))


def casefolded(text: str) -> str:
    """`text` as it is searched: without case, compatibility and decomposed forms, unseen marks.

    Compatibility caseless matching (Unicode Standard, definition D146). Format characters go too:
    pasted text is full of them and people do not type them.
    """
    kept = "".join(c for c in UNSEEN.sub("", text) if unicodedata.category(c) != "Cf")
    for _round in range(2):
        kept = unicodedata.normalize("NFKC", kept).casefold()
    return unicodedata.normalize("NFKC", kept)


def slug(text: str, longest: int) -> str:
    """The words of `text` with hyphens between, at most `longest` characters; may be empty.

    Letters, marks and digits of any script: no file system or shell gives them a meaning.
    """
    kept = ""
    for character in UNSEEN.sub("", unicodedata.normalize("NFC", text)):
        kind = unicodedata.category(character)[0]
        # a mark without its letter would change the hyphen before it
        belongs = kind in "LN" or (kind == "M" and kept[-1:] not in ("", " "))
        kept += character if belongs else " "
    return "-".join(kept.split())[:longest].strip("-")


def unique_name(stem: str, suffix: str, taken: Container[str]) -> str:
    """`stem` and `suffix`, numbered so that its folded form is not in `taken`.

    Folded, because many file systems keep neither case nor normal form apart.
    """
    name, number = f"{stem}{suffix}", 1
    while casefolded(name) in taken:
        number += 1
        name = f"{stem}-{number}{suffix}"
    return name

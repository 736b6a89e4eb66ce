"""Text of users: casefolding for searches, names of files."""

from __future__ import annotations

import unicodedata
from collections.abc import Container

from accounts.visible_text import UNSEEN


def casefolded(text: str) -> str:
    """`text` for searches: compatibility caseless matching (Unicode Standard, definition D146).

    Format characters are removed: pasted text contains them, and users do not type them.
    """
    kept = "".join(c for c in UNSEEN.sub("", text) if unicodedata.category(c) != "Cf")
    for _round in range(2):
        kept = unicodedata.normalize("NFKC", kept).casefold()
    return unicodedata.normalize("NFKC", kept)


def folded_words(text: str) -> str:
    """`text` casefolded and with single spaces, to find words in it."""
    return " ".join(casefolded(text).split())


def slug(text: str, longest: int) -> str:
    """The words of `text` joined with hyphens, at most `longest` characters; may be empty.

    Keeps case, letters, marks and digits of any script; Django's `slugify` drops marks.
    """
    kept = ""
    for character in UNSEEN.sub("", unicodedata.normalize("NFC", text)):
        kind = unicodedata.category(character)[0]
        # a mark without a letter would combine with the hyphen before it
        belongs = kind in "LN" or (kind == "M" and kept[-1:] not in ("", " "))
        kept += character if belongs else " "
    return "-".join(kept.split())[:longest].strip("-")


def unique_name(stem: str, suffix: str, taken: Container[str]) -> str:
    """`stem` and `suffix`, numbered so that its casefolded form is not in `taken`.

    Many file systems ignore case and normal form.
    """
    name, number = f"{stem}{suffix}", 1
    while casefolded(name) in taken:
        number += 1
        name = f"{stem}-{number}{suffix}"
    return name

"""Text of users that others see: whether it can be seen, and names on one line."""

from __future__ import annotations

import re
import unicodedata

UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters that are drawn as nothing, although their category is a visible one."""

INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Mc", "Me"})
"""Categories without a visible character; marks need a letter. Unassigned code points are not
among them: they may be emoji of a newer Unicode than Python's."""


def is_blank(text: str) -> bool:
    """Whether `text` has no visible character."""
    return all(unicodedata.category(c) in INVISIBLE for c in UNSEEN.sub("", text))


HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co"})
"""Categories that no name needs, such as controls and overrides of the direction of text."""

JOINER = re.compile("(?<=[^\\s\u200c\u200d])[\u200c\u200d](?=[^\\s\u200c\u200d])")
"""A joiner or non-joiner between two characters: Persian words and many emoji need them."""


def on_one_line(text: str) -> str:
    """`text` in normal form C, with one space where there was white space.

    Empty if nothing of it can be seen; raises ValueError if it has characters that are hidden.
    """
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.category(c) in HIDDEN for c in JOINER.sub("", text)):
        raise ValueError("hidden characters")
    return "" if is_blank(text) else text

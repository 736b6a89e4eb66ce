"""Which combinations of page, window size and language are tried.

By default all pairs: each page at each size, each page in each language, and, over the pages,
each size in each language. FULL_MATRIX=1 (`make test-matrix`) tries every combination.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

LOCALES = ("zh-CN", "en-GB")
FULL = os.environ.get("FULL_MATRIX") == "1"


def sizes_in(locale: str, sizes: Sequence[str], *, first: str) -> list[str]:
    """The sizes at which a page is tried in `locale`: every other one, unless FULL.

    `first` is the language at the first size. Two pages of the same sizes differ in it.
    """
    return list(sizes if FULL else sizes[locale != first :: 2])

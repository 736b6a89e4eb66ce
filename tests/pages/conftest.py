"""Each test begins with nobody having asked for anything."""

from __future__ import annotations

import pytest

from generation.sessions import all_buckets, buckets
from generation.views.zip_download import Zip


@pytest.fixture(autouse=True)
def full_buckets() -> None:
    buckets.by_owner.clear()
    all_buckets.by_owner.clear()
    Zip.under_way.clear()

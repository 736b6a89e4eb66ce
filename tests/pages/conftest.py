"""Each test begins with nobody having asked for anything."""

from __future__ import annotations

import pytest

from generation.sessions import owner_buckets, request_buckets
from generation.views.zip_download import Zip


@pytest.fixture(autouse=True)
def full_buckets() -> None:
    request_buckets.by_owner.clear()
    owner_buckets.by_owner.clear()
    Zip.under_way.clear()

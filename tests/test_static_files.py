"""Static files are processed once for the same sources, and again for others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.test import override_settings

from liujuan_site.storage import ModuleManifestStorage


class Collection:
    """What `collectstatic` does, for two files."""

    def __init__(self, folder: Path) -> None:
        self.sources = folder / "sources"
        self.made = folder / "made"
        self.write("studio/a.css", "a { background: url(b.svg); }")
        self.write("studio/b.svg", "<svg/>")

    def write(self, name: str, text: str) -> None:
        path = self.sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def collect(self) -> list[str]:
        """The names of what was processed."""
        source = StaticFilesStorage(location=str(self.sources))
        target = ModuleManifestStorage(
            location=str(self.made), file_permissions_mode=0o644, directory_permissions_mode=0o755
        )
        paths = {name: (source, name) for name in ("studio/a.css", "studio/b.svg")}
        for name in paths:
            with source.open(name) as file:
                target.delete(name)
                target._save(name, file)
        return [name for name, _hashed, _processed in target.post_process(paths)]

    def served(self, name: str) -> str:
        stored: str = ModuleManifestStorage(location=str(self.made)).stored_name(name)
        return stored


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    return Collection(tmp_path)


def test_the_same_sources_are_processed_once(collection: Collection) -> None:
    assert "studio/a.css" in collection.collect()
    before = collection.served("studio/a.css")

    assert collection.collect() == []
    assert collection.served("studio/a.css") == before


def test_a_source_that_changed_is_processed_and_so_is_what_names_it(collection: Collection) -> None:
    collection.collect()
    before = collection.served("studio/a.css")
    collection.write("studio/b.svg", "<svg><g/></svg>")

    assert collection.collect()
    assert collection.served("studio/a.css") != before


def test_a_file_that_is_missing_is_made_again(collection: Collection) -> None:
    collection.collect()
    made = collection.made / collection.served("studio/a.css")
    made.unlink()

    assert collection.collect()
    assert made.exists()


def test_below_another_address_the_files_are_made_again(collection: Collection) -> None:
    collection.collect()
    with override_settings(STATIC_URL=f"/below{settings.STATIC_URL}"):
        assert collection.collect()


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_a_compressed_file_has_the_mode_of_its_original(collection: Collection, mask: int) -> None:
    collection.write("studio/b.svg", f"<svg>{'<g/>' * 200}</svg>")
    before = os.umask(mask)
    try:
        collection.collect()
    finally:
        os.umask(before)

    compressed = list(collection.made.rglob("*.gz"))
    assert compressed
    for path in compressed:
        assert path.stat().st_mode == path.with_suffix("").stat().st_mode

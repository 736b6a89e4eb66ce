"""Static files are processed once per version of their sources."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.files.base import ContentFile
from django.test import override_settings

from liujuan_site.static_storage import ModuleManifestStorage, minified_sheet
from liujuan_site.style_minifier import constant_lengths, minified_styles


class Collection:
    """What `collectstatic` does, for a few files."""

    def __init__(self, folder: Path) -> None:
        self.sources = folder / "sources"
        self.made = folder / "made"
        self.write("studio/a.css", "a { background: url(b.svg); }")
        self.write("studio/b.svg", "<svg/>")
        self.write("studio/page.js", 'import { a } from "./a.js";\na();\n')
        self.write("studio/a.js", "export const a = () => console.log(1);\n")

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
        names = [path.relative_to(self.sources).as_posix() for path in self.sources.rglob("*.*")]
        paths = {name: (source, name) for name in names}
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


def test_a_module_is_served_by_the_bundle_that_contains_it(collection: Collection) -> None:
    collection.collect()
    before = collection.served("studio/a.js")
    assert before == collection.served("studio/page.js")

    collection.write("studio/a.js", "export const a = () => console.log(2);\n")
    collection.collect()

    assert collection.served("studio/a.js") == collection.served("studio/page.js") != before
    assert "console.log(2)" in (collection.made / collection.served("studio/a.js")).read_text()


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


def test_a_style_sheet_is_minified_once(tmp_path: Path) -> None:
    storage = ModuleManifestStorage(location=str(tmp_path))
    content = ContentFile(b"/* once */")
    before = minified_sheet.cache_info().misses

    storage._save(storage.hashed_name("studio/a.css", content), content)

    assert minified_sheet.cache_info().misses == before + 1


@pytest.mark.parametrize(
    ("source", "short"),
    [
        (
            ".a { & .b, &:hover, :is(.c, &.d) { color: red } .e & { color: blue } }",
            ".a{.b,&:hover,:is(.c,&.d){color:red}.e &{color:#00f}}",
        ),
        (
            ".a { > .b, > .c:is(.d, :nth-child(1 of .e:not(.f, .g))) { color: red } }",
            ".a{>.b,>.c:is(.d,:nth-child(1 of .e:not(.f,.g))){color:red}}",
        ),
        (
            ":root { --ink: light-dark(#000, #fff); --t: var(--ink) } p { color: var(--t) }",
            ":root{--t:light-dark(#000,#fff)}p{color:var(--t)}",
        ),
    ],
    ids=["nested rules", "commas of selectors", "pigments"],
)
def test_styles_are_minified(source: str, short: str) -> None:
    assert minified_styles(source, {}) == short


THEME = """:root {
  --near: 3px;
  --far: 40px;
  --row: 20px;
  --gap: 5px;
}

@media (width < 768px) {
  :root {
    --row: 30px;
  }
}
"""


def test_constant_lengths_stand_in_the_place_of_their_names() -> None:
    source = "p { margin: calc(-1 * var(--near)) var(--far); height: var(--row); gap: var(--gap) }"
    lengths = constant_lengths(THEME, [".a { --gap:9px }", ".b { gap: var(--near) }"])

    assert lengths == {"--near": "3px", "--far": "40px"}
    assert (
        minified_styles(source, lengths) == "p{height:var(--row);gap:var(--gap);margin:-3px 40px}"
    )
    assert "--near" not in minified_styles(THEME, lengths)
    assert "--gap:5px" in minified_styles(THEME, lengths)


def test_what_is_served_decides_the_name_of_a_file() -> None:
    storage = ModuleManifestStorage()
    spaced, tight, other = (
        ContentFile(text) for text in (b"a { color: red }", b"a{color:red}", b"a{color:blue}")
    )

    assert storage.file_hash("studio/a.css", spaced) == storage.file_hash("studio/a.css", tight)
    assert storage.file_hash("studio/a.css", spaced) != storage.file_hash("studio/a.css", other)

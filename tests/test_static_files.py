"""Static files are processed once per version of their sources."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.core.files.base import ContentFile
from django.test import override_settings

from liujuan_site.static_storage import ModuleManifestStorage, minified
from liujuan_site.style_minifier import constant_lengths, minified_styles


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


@pytest.mark.parametrize("kind", [".css", ".js"])
def test_a_file_is_minified_once(tmp_path: Path, kind: str) -> None:
    storage = ModuleManifestStorage(location=str(tmp_path))
    content = ContentFile(b"/* once */")
    before = minified.cache_info().misses

    storage._save(storage.hashed_name(f"studio/a{kind}", content), content)

    assert minified.cache_info().misses == before + 1


MODULES = sorted(Path(settings.BASE_DIR, "static/studio/js").rglob("*.js"))


IMPORT = r'(?:^|;)import ?\{([^}]*)\} ?from ?"([^"]+)"'


def bound(text: str) -> tuple[set[tuple[str, str]], set[str]]:
    """What a module imports, as (path, name), and the names that it exports."""
    imports = {
        (path, name.split(" as ")[0].strip())
        for names, path in re.findall(IMPORT, text, re.MULTILINE)
        for name in names.split(",")
    }
    listed = [names for names in re.findall(r"export ?\{([^}]*)\}", text)]
    exports = {name.split(" as ")[-1].strip() for names in listed for name in names.split(",")}
    exports |= set(re.findall(r"export (?:async )?(?:function|class|const|let) (\w+)", text))
    return imports, exports


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_a_minified_module_is_bound_to_the_others_as_before(module: Path) -> None:
    minify = pytest.importorskip("minify")
    source = module.read_text()

    plain = minify.string("application/javascript", source)
    short = minified(source, ".js")

    assert bound(short) == bound(source)
    assert len(short) <= len(plain) + 20
    if re.search(r"^import ", source, re.MULTILINE):
        assert " as " in short


def test_served_modules_import_what_others_export() -> None:
    pytest.importorskip("minify")
    static = Path(settings.BASE_DIR, "static")
    texts = {
        module: minified(module.read_text(), ".js", module.relative_to(static).as_posix())
        for module in MODULES
    }
    served = {module: bound(text) for module, text in texts.items()}

    imported = {
        ((module.parent / path).resolve(), name)
        for module, (imports, _exports) in served.items()
        for path, name in imports
    }
    on_demand = {
        (module.parent / path).resolve()
        for module, text in texts.items()  # without comments
        for path in re.findall(r'\bimport\("([^"]+)"\)', text)
    }

    assert imported <= {(module, name) for module in served for name in served[module][1]}
    assert on_demand
    for module, (_imports, names) in served.items():
        if module in on_demand:
            assert names == bound(module.read_text())[1]
        else:
            assert all(len(name) == 1 for name in names), module


def test_a_module_that_cannot_be_taken_apart_keeps_its_long_names() -> None:
    pytest.importorskip("minify")
    source = (
        'import * as all from "./a.js";\nimport { a } from "./b.js";\nexport const c = all.x(a);\n'
    )

    assert 'import{a}from"./b.js"' in minified(source, ".js")
    assert "export let c" in minified(source, ".js")


def test_a_named_number_stands_in_the_place_of_its_name() -> None:
    pytest.importorskip("minify")
    source = "const WAIT_MS = 1_500;\nexport const wait = (run) => setTimeout(run, WAIT_MS);\n"

    assert "WAIT_MS" not in minified(source, ".js")
    assert "1500" in minified(source, ".js")


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

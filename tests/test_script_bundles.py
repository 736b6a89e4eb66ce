"""Modules are served in bundles, which import and load the right ones of each other."""

from __future__ import annotations

import posixpath
import re
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from django.conf import settings

from liujuan_site.script_bundler import BundleError, bundled
from liujuan_site.script_minifier import with_numbers
from liujuan_site.static_storage import minified

SOURCES = Path(settings.BASE_DIR, "static/studio/js")
TEXTS = {path.relative_to(SOURCES).as_posix(): path.read_text() for path in SOURCES.rglob("*.js")}
IMPORT = r'(?:^|;)import ?\{([^}]*)\} ?from ?"([^"]+)"'


def target(bundle: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(bundle), path))


def imports_of(bundle: str, text: str) -> set[tuple[str, str]]:
    """Pairs of (path of a bundle, imported name)."""
    return {
        (target(bundle, path), name.split(" as ")[0].strip())
        for names, path in re.findall(IMPORT, text, re.MULTILINE)
        for name in names.split(",")
    }


def loads_of(bundle: str, text: str) -> set[str]:
    """Paths of what a bundle loads on demand."""
    return {target(bundle, path) for path in re.findall(r'\bimport\("([^"]+)"\)', text)}


def exports_of(text: str) -> set[str]:
    listed = re.findall(r"export ?\{([^}]*)\}", text)
    names = {name.split(" as ")[-1].strip() for names in listed for name in names.split(",")}
    return names | set(re.findall(r"^export (?:async )?(?:function|class|const) (\w+)", text, re.M))


def texts_of(modules: dict[str, str]) -> dict[str, str]:
    return {path: bundle.text for path, bundle in bundled(modules).items()}


@pytest.fixture(params=["written", "minified"])
def bundles(request: pytest.FixtureRequest) -> dict[str, str]:
    made = texts_of(TEXTS)
    if request.param == "written":
        return made
    pytest.importorskip("minify")
    return {path: minified(text) for path, text in made.items()}


def test_bundles_import_what_others_export(bundles: dict[str, str]) -> None:
    imported = set[tuple[str, str]]().union(*(imports_of(*bundle) for bundle in bundles.items()))

    assert imported
    assert imported <= {(path, name) for path, text in bundles.items() for name in exports_of(text)}


def test_what_is_loaded_on_demand_has_its_own_names(bundles: dict[str, str]) -> None:
    loaded = set[str]().union(*(loads_of(*bundle) for bundle in bundles.items()))

    assert loaded
    for path in loaded:
        assert exports_of(TEXTS[path]) <= exports_of(bundles[path])


def test_bundles_do_not_need_each_other_in_a_circle(bundles: dict[str, str]) -> None:
    needs = {
        path: {other for other, _name in imports_of(path, text)} | loads_of(path, text)
        for path, text in bundles.items()
    }

    assert list(TopologicalSorter(needs).static_order())


def test_every_module_is_in_one_bundle() -> None:
    bundles = bundled({path: f"{text}log('{path}');\n" for path, text in TEXTS.items()})

    for path in TEXTS:
        (found,) = [bundle for bundle in bundles.values() if f"log('{path}')" in bundle.text]
        assert path in found.modules


def test_a_minified_value_is_made_before_it_is_used() -> None:
    pytest.importorskip("minify")
    text = "export async function read(get) {\n  const keys = [...get()];\n"
    text += "  const { kept } = await get({ keys: keys });\n  return kept;\n}\n"

    short = minified(text)

    assert short.index("[...") < short.index("await")


def test_a_minified_bundle_is_smaller() -> None:
    minify = pytest.importorskip("minify")
    bundles = texts_of({path: with_numbers(text) for path, text in TEXTS.items()})

    for text in bundles.values():
        plain = minify.string("application/javascript", text)
        assert len(minified(text)) <= len(plain) + 20
    assert "WAIT_MS" not in minified(with_numbers("const WAIT_MS = 1_500;\nwait(WAIT_MS);\n"))


PAGE = 'import { draw } from "./lib/draw.js";\ndraw(() => import("./later.js"));\n'
DRAW = """import { size } from "./size.js";
const twice = () => 2 * size;
/** @type {import("../later.js").Later} */
export function draw(then) { then(twice()); }
"""
SIZE = "export const size = 5;\n"
LATER = 'import { size } from "./lib/size.js";\nexport const area = () => size * size;\n'


def test_what_is_loaded_later_is_beside_the_page_and_what_both_need_below_them() -> None:
    texts = {"page.js": PAGE, "lib/draw.js": DRAW, "lib/size.js": SIZE, "later.js": LATER}

    assert texts_of(texts) == {
        "lib/size.js": "const size = 5;\nexport { size as a };\n",
        "later.js": 'import { a as size } from "./lib/size.js";\n'
        "const area = () => size * size;\nexport { area };\n",
        "page.js": 'import { a as size } from "./lib/size.js";\n'
        "const draw = (() => {\nconst twice = () => 2 * size;\n\n"
        "function draw(then) { then(twice()); }\nreturn draw;\n})();\n"
        'await (async () => {\ndraw(() => import("./later.js"));\n})();\n',
    }


def test_modules_of_a_bundle_share_only_what_they_export() -> None:
    texts = {
        "page.js": 'import { count } from "./count.js";\nlet state = 1;\nawait count(state);\n',
        "count.js": 'import { state } from "./state.js";\n'
        "export const count = (by) => state + by;\n",
        "state.js": "const one = 1;\nexport const state = one;\nexport const unused = 2;\n",
    }

    assert texts_of(texts) == {
        "page.js": "const state = (() => {\n"
        "const one = 1;\nconst state = one;\nconst unused = 2;\n"
        "return state;\n})();\n"
        "const count = (() => {\n"
        "const count = (by) => state + by;\n"
        "return count;\n})();\n"
        "await (async () => {\nlet state = 1;\nawait count(state);\n})();\n"
    }


@pytest.mark.parametrize(
    "text",
    [
        'import * as all from "./a.js";\n',
        'import { a as b } from "./a.js";\n',
        'import "./a.js";\n',
        'export { a } from "./a.js";\n',
        "export default 5;\n",
        "export let a = 5;\n",
        'import { b } from "./a.js";\nimport { a } from "./c.js";\nexport const d = a + b;\n',
    ],
)
def test_a_module_that_cannot_be_bundled_is_refused(text: str) -> None:
    others = {"a.js": "export const a = 1;\nexport const b = 2;\n", "c.js": "export const a = 3;\n"}

    with pytest.raises(BundleError):
        bundled({"page.js": text, **others})


@pytest.mark.parametrize("need", ['import { a } from "./a.js";\n', 'a(() => import("./a.js"));\n'])
def test_modules_that_need_each_other_are_refused(need: str) -> None:
    texts = {
        "a.js": 'import { b } from "./b.js";\nexport const a = () => b;\n',
        "b.js": f"{need}export const b = 1;\n",
    }

    with pytest.raises(CycleError):
        bundled(texts)

"""Bundles native modules, so that a page loads few files.

Each module is in exactly one bundle, so that it exists once in a page. A bundle has the path of its
last module, which may use all others. Inside, each module is a function: only its imports and
exports have to be unique.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from itertools import chain
from string import ascii_letters

COMMENT = re.compile(r"/\*\*.*?\*/", re.DOTALL)
"""Type comments name other modules, with paths that a bundle would have to change."""
IMPORT = re.compile(r'^import \{ (\w+(?:, \w+)*) \} from "(\.[^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:(?:async )?function|class|const) (\w+))", re.MULTILINE)
UNSUPPORTED = re.compile(r"^(?:import|export)\b(?! ?\().*", re.MULTILINE)
ON_DEMAND = re.compile(r'\bimport\("(\.[^"]+)"\)')


class BundleError(ValueError):
    """Modules that cannot be bundled or minified."""


@dataclass(frozen=True)
class Module:
    path: str
    body: str
    """Without imports, and without the word `export`."""
    imports: Mapping[str, list[str]]
    """{path: imported names}"""
    on_demand: frozenset[str]
    """Paths of the modules that this one loads with `import()`."""
    exports: list[str]


@dataclass(frozen=True)
class Bundle:
    text: str
    modules: list[str]
    """Their paths."""


def bundled(texts: Mapping[str, str]) -> dict[str, Bundle]:
    """{path: bundle} of the modules in `texts`, {path: text}.

    Raises BundleError for a form of import or export that is not used here, and
    graphlib.CycleError.
    """
    modules = {path: parsed(path, text) for path, text in texts.items()}
    bundles = bundles_of(modules)
    home = {module.path: path for path, bundle in bundles.items() for module in bundle}
    exports = exports_of(modules, home)
    return {
        path: Bundle(text_of(bundle, home, exports), [module.path for module in bundle])
        for path, bundle in bundles.items()
    }


def parsed(path: str, text: str) -> Module:
    text = COMMENT.sub("", text)
    imports = {absolute(path, found[2]): names_in(found[1]) for found in IMPORT.finditer(text)}
    body = EXPORT.sub("", IMPORT.sub("", text))
    if unsupported := UNSUPPORTED.search(body):
        raise BundleError(f"{path} cannot be bundled: {unsupported[0]}")
    on_demand = frozenset(absolute(path, target) for target in ON_DEMAND.findall(body))
    return Module(path, body, imports, on_demand, EXPORT.findall(text))


def bundles_of(modules: Mapping[str, Module]) -> dict[str, list[Module]]:
    """{path: modules, each after those that it imports}.

    Bundles name each other by a hash of their text, so there can be no cycle. What is loaded on
    demand is therefore below what loads it: the depth of a page is the greatest number of such
    loads one after another. Any other module is as high as what imports and loads it allows, so
    that it can be in the same bundle. Modules of one depth are together if the same pages import
    them at once and the same pages may load them later; of those that no page imports at once, if
    the same modules that are loaded on demand import them.
    """
    loaded_on_demand = frozenset(chain.from_iterable(m.on_demand for m in modules.values()))
    imported = set(chain.from_iterable(module.imports for module in modules.values()))
    pages = modules.keys() - imported - loaded_on_demand

    def needs(path: str) -> Iterable[str]:
        return modules[path].imports

    def may_need(path: str) -> Iterable[str]:
        return chain(modules[path].imports, modules[path].on_demand)

    importers = users_of_each(modules, lambda module: module.imports)
    loaders = users_of_each(modules, lambda module: module.on_demand)

    @cache
    def loads_below(path: str) -> int:
        module = modules[path]
        return max(
            chain(map(loads_below, module.imports), (1 + loads_below(m) for m in module.on_demand)),
            default=0,
        )

    @cache
    def depth(path: str) -> int:
        return min(
            chain(map(depth, importers[path]), (depth(m) - 1 for m in loaders[path])),
            default=loads_below(path),
        )

    by_page = users_of(pages, may_need)
    by_load = users_of(loaded_on_demand, needs)
    at_once = users_of(pages, needs)
    bundles = defaultdict(list)
    order = TopologicalSorter({path: may_need(path) for path in sorted(modules)}).static_order()
    for path in order:
        users = by_page[path] if path in at_once else by_load[path]
        bundles[at_once.get(path), depth(path), users].append(modules[path])
    return {bundle[-1].path: bundle for bundle in bundles.values()}


def users_of_each(
    modules: Mapping[str, Module], used: Callable[[Module], Iterable[str]]
) -> dict[str, list[str]]:
    """{path: modules that use it themselves}."""
    users: dict[str, list[str]] = defaultdict(list)
    for path, module in modules.items():
        for target in used(module):
            users[target].append(path)
    return users


def users_of(
    roots: Iterable[str], needs: Callable[[str], Iterable[str]]
) -> dict[str, frozenset[str]]:
    """{path: those of `roots` that need it, directly or through others}."""
    users: dict[str, set[str]] = defaultdict(set)
    for root in roots:
        waiting = [root]
        while waiting:
            path = waiting.pop()
            if root not in users[path]:
                users[path].add(root)
                waiting.extend(needs(path))
    return {path: frozenset(found) for path, found in users.items()}


def exports_of(modules: Mapping[str, Module], home: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """{path of a bundle: {name inside: name outside}}.

    Modules loaded on demand keep their names: `import()` gives an object with them.
    """
    kept: dict[str, set[str]] = defaultdict(set)
    shortened: dict[str, set[str]] = defaultdict(set)
    for module in modules.values():
        for path in module.on_demand:
            kept[home[path]].update(modules[path].exports)
        for path, names in module.imports.items():
            if home[path] != home[module.path]:
                shortened[home[path]].update(names)
    return {
        path: {name: name for name in sorted(kept[path])}
        | dict(zip(sorted(shortened[path] - kept[path]), short_names(), strict=False))
        for path in {*home.values()}
    }


def short_names() -> Iterator[str]:
    yield from ascii_letters
    yield from (f"{letter}{digit}" for letter in ascii_letters for digit in range(10))


def text_of(
    bundle: list[Module], home: Mapping[str, str], exports: Mapping[str, Mapping[str, str]]
) -> str:
    own = bundle[-1].path
    inside = {module.path for module in bundle}
    imported: dict[str, set[str]] = defaultdict(set)
    used = set(exports[own])
    for module in bundle:
        for path, names in module.imports.items():
            (used if path in inside else imported[home[path]]).update(names)
    check_names(bundle, imported)
    heads = [
        f'import {{ {pairs(exports[path], names)} }} from "{relative(own, path)}";\n'
        for path, names in sorted(imported.items())
    ]
    bodies = [with_paths(module, own, home) for module in bundle]
    if len(bundle) > 1:
        bodies = [
            function_of(body, [name for name in module.exports if name in used])
            for module, body in zip(bundle, bodies, strict=True)
        ]
    listed = ", ".join(renamed(*pair) for pair in exports[own].items())
    return "".join([*heads, *bodies, f"export {{ {listed} }};\n" if listed else ""])


def check_names(bundle: list[Module], imported: Mapping[str, set[str]]) -> None:
    seen = set(chain.from_iterable(imported.values()))
    for module in bundle:
        if twice := seen.intersection(module.exports):
            raise BundleError(f"{module.path} exports what another module exports: {twice}")
        seen.update(module.exports)


def with_paths(module: Module, own: str, home: Mapping[str, str]) -> str:
    """The body, with the paths of what it loads on demand as seen from the bundle."""
    return ON_DEMAND.sub(
        lambda found: f'import("{relative(own, home[absolute(module.path, found[1])])}")',
        module.body,
    )


def function_of(body: str, exports: list[str]) -> str:
    """The module as a function that is called at once; a page, without exports, may await."""
    if not exports:
        return f"await (async () => {{\n{body}}})();\n"
    names = exports[0] if len(exports) == 1 else f"[{', '.join(exports)}]"
    return f"const {names} = (() => {{\n{body}return {names};\n}})();\n"


def pairs(outside: Mapping[str, str], names: Iterable[str]) -> str:
    return ", ".join(renamed(outside[name], name) for name in sorted(names))


def renamed(name: str, other: str) -> str:
    return name if name == other else f"{name} as {other}"


def names_in(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def absolute(module: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(module), path))


def relative(module: str, path: str) -> str:
    found = posixpath.relpath(path, posixpath.dirname(module))
    return found if found.startswith(".") else f"./{found}"

"""Minifies scripts and native modules: no comments, no spaces, short names.

The minifier shortens only names inside functions. So a module is wrapped in a function, with its
imports as parameters and its exports in a last statement, and unwrapped after minifying.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from string import ascii_letters

Minify = Callable[[str], str]
Aliases = Callable[[str], Mapping[str, str]]
"""Short names of the exports of an imported module; of the module itself for an empty path."""

IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:(?:async )?function|class|const|let) (\w+))", re.MULTILINE)
DYNAMIC_IMPORT = re.compile(r'\bimport\("(\.[^"]+)"\)(?!\.[A-Z])')
"""Not a type in a comment: `import("./task.js").Task`."""

UNSUPPORTED = re.compile(r"^(?:import|export)\b(?! ?\()", re.MULTILINE)
"""Other forms of import and export: a module with them keeps its long names."""

FUNCTION = re.compile(r"\(async function\(([\w$,]*)\)\{(.*)\}\)\(\)", re.DOTALL)
EXPORTED = re.compile(r"[,;]?globalThis\.exported=\[([\w$,]*)\]$")

CONST = re.compile(r"(^ *(?:export )?|for \()const(?= )", re.MULTILINE)
NUMBER = re.compile(r"^let ([A-Z][A-Z_]*) = ([\d_.]+);\n", re.MULTILINE)


def minified_script(text: str, minify: Minify, aliases: Aliases) -> str:
    """The minified text of a module or of a classic script.

    The module imports and exports the same things, with the names of `aliases`.
    """
    text = with_numbers(CONST.sub(r"\1let", text))
    is_module = IMPORT.search(text) or EXPORT.search(text)
    return (is_module and minified_module(text, minify, aliases)) or minify(text)


def with_numbers(text: str) -> str:
    """The text with numeric constants of the module inlined."""
    for name, value in NUMBER.findall(text):
        text = text.replace(f"let {name} = {value};\n", "")
        text = re.sub(rf"(?<![\w.$]){name}(?![\w:])", value, text)
    return text


def minified_module(text: str, minify: Minify, aliases: Aliases) -> str:
    """The minified module; empty if it cannot be wrapped in a function."""
    imports = [(names_in(found[1]), found[2]) for found in IMPORT.finditer(text)]
    exports = EXPORT.findall(text)
    body = EXPORT.sub("", IMPORT.sub("", text))
    if UNSUPPORTED.search(body):
        return ""
    names = [name for names, _path in imports for name in names]
    last = f"\nglobalThis.exported=[{','.join(exports)}];" if exports else ""
    wrapped = FUNCTION.fullmatch(minify(f"(async function({','.join(names)}){{{body}{last}}})()"))
    if wrapped is None:
        return ""
    short, rest = names_in(wrapped[1]), wrapped[2]
    if len(short) != len(names):
        return ""
    if exports:
        exported = EXPORTED.search(rest)
        if exported is None:
            return ""
        own = aliases("")
        outside = [own.get(name, name) for name in exports]
        pairs = zip(exported[1].split(","), outside, strict=True)
        rest = f"{rest[: exported.start()]};export{{{','.join(renamed(*pair) for pair in pairs)}}}"
    shorter = iter(short)
    heads = []
    for inside, path in imports:
        short_names = aliases(path)
        bindings = [renamed(short_names.get(name, name), next(shorter)) for name in inside]
        heads.append(f'import{{{",".join(bindings)}}}from"{path}";')
    return "".join(heads) + rest


def module_aliases(root: Path) -> dict[str, dict[str, str]]:
    """{module below `root`: {exported name: one letter}} of those that are imported statically.

    Modules loaded on demand keep their names: `import()` gives an object with them.
    """
    texts = {path: path.read_text() for path in root.rglob("*.js")}
    on_demand = {
        (path.parent / target).resolve()
        for path, text in texts.items()
        for target in DYNAMIC_IMPORT.findall(text)
    }
    return {
        path.relative_to(root).as_posix(): dict(
            zip(EXPORT.findall(text), ascii_letters, strict=False)
        )
        for path, text in texts.items()
        if path not in on_demand
    }


def names_in(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def renamed(name: str, other: str) -> str:
    return name if name == other else f"{name} as {other}"

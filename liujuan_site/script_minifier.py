"""Native modules made shorter: no comments, no spaces, short names.

The minifier shortens the names inside of functions only. So a module becomes a function for a
moment, with what it imports as parameters and what it exports in a last statement.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Minify = Callable[[str], str]

IMPORT = re.compile(r'^import \{([^}]*)\} from ("[^"]+");\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:(?:async )?function|class|let) (\w+))", re.MULTILINE)
LEFT = re.compile(r"^(?:import|export)\b(?! ?\()", re.MULTILINE)
"""Forms of the two that are not taken apart here: such a module keeps its long names."""

FUNCTION = re.compile(r"\(async function\(([\w$,]*)\)\{(.*)\}\)\(\)", re.DOTALL)
EXPORTED = re.compile(r"[,;]?globalThis\.exported=\[([\w$,]*)\]$")

CONST = re.compile(r"(^ *(?:export )?|for \()const(?= )", re.MULTILINE)
NUMBER = re.compile(r"^let ([A-Z][A-Z_]*) = ([\d_.]+);\n", re.MULTILINE)


def shortened_script(text: str, minify: Minify) -> str:
    """A module or a classic script, with the same imports and exports."""
    text = with_numbers(CONST.sub(r"\1let", text))
    is_module = IMPORT.search(text) or EXPORT.search(text)
    return (is_module and shortened_module(text, minify)) or minify(text)


def with_numbers(text: str) -> str:
    """The text with each named number of the module itself in the place of its name."""
    for name, value in NUMBER.findall(text):
        text = text.replace(f"let {name} = {value};\n", "")
        text = re.sub(rf"(?<![\w.$]){name}(?![\w:])", value, text)
    return text


def shortened_module(text: str, minify: Minify) -> str:
    """Empty if the module cannot be taken apart."""
    imports = [(names_in(found[1]), found[2]) for found in IMPORT.finditer(text)]
    exports = EXPORT.findall(text)
    body = EXPORT.sub("", IMPORT.sub("", text))
    if LEFT.search(body):
        return ""
    names = [name for names, _path in imports for name in names]
    last = f"\nglobalThis.exported=[{','.join(exports)}];" if exports else ""
    whole = FUNCTION.fullmatch(minify(f"(async function({','.join(names)}){{{body}{last}}})()"))
    if whole is None:
        return ""
    short, rest = names_in(whole[1]), whole[2]
    if len(short) != len(names):
        return ""
    if exports:
        found = EXPORTED.search(rest)
        if found is None:
            return ""
        pairs = zip(found[1].split(","), exports, strict=True)
        rest = f"{rest[: found.start()]};export{{{','.join(renamed(*pair) for pair in pairs)}}}"
    shorter = iter(short)
    heads = (
        f"import{{{','.join(renamed(name, next(shorter)) for name in names)}}}from{path};"
        for names, path in imports
    )
    return "".join(heads) + rest


def names_in(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def renamed(name: str, other: str) -> str:
    return name if name == other else f"{name} as {other}"

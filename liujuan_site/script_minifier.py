"""Minifies scripts and bundles of modules: no comments, no spaces, short names.

The minifier shortens only names inside functions. So a bundle is wrapped in a function, with its
imports as parameters and its exports in a last statement, and unwrapped after minifying.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from liujuan_site.script_bundler import BundleError, names_in, renamed

Minify = Callable[[str], str]

IMPORT = re.compile(r'^import \{([^}]*)\} from "([^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export \{([^}]*)\};\n", re.MULTILINE)

FUNCTION = re.compile(r"\(async function\(([\w$,]*)\)\{(.*)\}\)\(\)", re.DOTALL)
EXPORTED = re.compile(r"[,;]?globalThis\.exported=\[([\w$,]*)\]$")

CONST = re.compile(r"(^ *(?=const \w)|for \()const(?= )", re.MULTILINE)
"""`let` is shorter. The minifier joins declarations of one kind, and then puts those with patterns
before a value that they need if they need it in an object only: these stay `const`."""
NUMBER = re.compile(r"^const ([A-Z][A-Z_]*) = ([\d_.]+);\n", re.MULTILINE)


def minified_script(text: str, minify: Minify) -> str:
    """The minified text of a bundle or of a classic script."""
    text = CONST.sub(r"\1let", text)
    is_bundle = IMPORT.search(text) or EXPORT.search(text)
    return minified_bundle(text, minify) if is_bundle else minify(text)


def with_numbers(text: str) -> str:
    """The text of a module with its numeric constants inlined."""
    for name, value in NUMBER.findall(text):
        text = text.replace(f"const {name} = {value};\n", "")
        text = re.sub(rf"(?<![\w.$]){name}(?![\w:])", value, text)
    return text


def minified_bundle(text: str, minify: Minify) -> str:
    imports = [(found[2], pairs_in(found[1])) for found in IMPORT.finditer(text)]
    exports = [pair for names in EXPORT.findall(text) for pair in pairs_in(names)]
    body = EXPORT.sub("", IMPORT.sub("", text))
    parameters = ",".join(inside for _path, pairs in imports for _outside, inside in pairs)
    last = f"\nglobalThis.exported=[{','.join(inside for inside, _outside in exports)}];"
    wrapped = minify(f"(async function({parameters}){{{body}{last if exports else ''}}})()")
    if (function := FUNCTION.fullmatch(wrapped)) is None:
        raise BundleError(f"minified to an unknown form: {wrapped[:100]}")
    short, rest = iter(names_in(function[1])), function[2]
    heads = []
    for path, pairs in imports:
        names = [renamed(outside, next(short)) for outside, _inside in pairs]
        heads.append(f'import{{{",".join(names)}}}from"{path}";')
    if exports:
        rest = with_exports(rest, [outside for _inside, outside in exports])
    return "".join([*heads, rest])


def with_exports(body: str, outside: list[str]) -> str:
    """The body with its last statement, the list of exported values, as an export of them."""
    if (exported := EXPORTED.search(body)) is None:
        raise BundleError(f"minified to an unknown form: {body[-100:]}")
    pairs = zip(exported[1].split(","), outside, strict=True)
    return f"{body[: exported.start()]};export{{{','.join(renamed(*pair) for pair in pairs)}}}"


def pairs_in(text: str) -> list[tuple[str, str]]:
    """Pairs of names in `a as b, c`: (a, b), (c, c)."""
    words = [name.split(" as ") for name in names_in(text)]
    return [(pair[0], pair[-1]) for pair in words]

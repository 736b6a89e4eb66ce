"""The environment variables of the settings, as documents must list them, and their tables."""

from __future__ import annotations

import ast
import re

from tests.prebuilt import ROOT

TYPES = {
    "text": "text",
    "secret": "text",
    "secrets": "list with commas",
    "whole_number": "whole number",
    "number": "number",
    "switch": "switch",
    "names": "list with commas",
}
COMPUTED_DEFAULTS = {
    "str(BASE_DIR / 'var')": "`var/`",
    "PUBLIC_URL.startswith('https:')": "`1` if `PUBLIC_URL` begins with https, else `0`",
    "addresses.names_of(HOST)": "`HOST`",
    "not REDIS_URL": "`1` without `REDIS_URL`, else `0`",
    "[]": "empty",
}
"""Defaults that are no plain value, by their source, and how the README words them."""


def variables() -> dict[str, tuple[str, str]]:
    """Every `env.kind("NAME", default=…)` of the settings: name → (type, default as worded)."""
    tree = ast.parse((ROOT / "liujuan_site/settings.py").read_text(encoding="utf-8"))
    found: dict[str, tuple[str, str]] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if not isinstance(node.func.value, ast.Name) or node.func.value.id != "env":
            continue
        if not any(each.arg == "default" for each in node.keywords):
            continue
        assert isinstance(node.args[0], ast.Constant)
        default = next(each.value for each in node.keywords if each.arg == "default")
        assert node.func.attr in TYPES, f"how is {node.args[0].value!r} read?"
        found[str(node.args[0].value)] = (TYPES[node.func.attr], worded(default))
    return found


def worded(default: ast.expr) -> str:
    if not isinstance(default, ast.Constant):
        return COMPUTED_DEFAULTS[ast.unparse(default)]
    value = default.value
    if isinstance(value, int | float):
        return f"`{value:g}`"
    return f"`{value!s}`" if value else "empty"


Table = dict[str, list[str]]


def tables(text: str) -> dict[str, Table]:
    """Every table of `text` by the title of its first column: first cell → the other cells."""
    found: dict[str, Table] = {}
    table: Table | None = None
    columns = 0
    for line in text.splitlines():
        if not line.startswith("|"):
            table = None
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        if table is None:
            table, columns = found.setdefault(cells[0], {}), len(cells)
        elif not set(line) <= set("|-: "):
            assert len(cells) == columns, line
            table[cells[0].strip("`")] = cells[1:]
    return found


def anchors(text: str) -> set[str]:
    """What a heading is called in a link to it."""
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    }

"""Minifies style sheets: no comments, no spaces, and values in the place of the theme's names."""

from __future__ import annotations

import re

LENGTH = re.compile(r"^  (--[\w-]+): (\d+px);$", re.MULTILINE)
"""A length of the theme."""

COLOR = re.compile(r"(--[\w-]+):(light-dark\([^()]*\));")
"""A custom property with one color for each theme."""

PRELUDE = re.compile(r"(?<=[{};])&[^{};]*(?=\{)")
"""The selectors of a nested rule that begins with `&`."""

STRING_OR_COMMA = re.compile(r'("[^"]*")|, ')


def minified_styles(text: str, theme: str) -> str:
    """The minified style sheet; `theme` is the sheet with the lengths of all others."""
    # only `collectstatic` needs it
    import lightningcss

    css: str = lightningcss.process_stylesheet(with_lengths(text, theme), minify=True)
    css = PRELUDE.sub(
        lambda found: ",".join(map(without_nesting, selectors_in(found[0]))), with_colors(css)
    )
    return STRING_OR_COMMA.sub(lambda found: found[1] or ",", css)


def with_lengths(css: str, theme: str) -> str:
    """The style sheet with constant lengths in the place of their names."""
    for name, px in LENGTH.findall(theme):
        if theme.count(f"{name}: ") == 1:
            css = css.replace(f"  {name}: {px};\n", "")
            css = css.replace(f"calc(-1 * var({name}))", f"-{px}").replace(f"var({name})", px)
    return css


def with_colors(css: str) -> str:
    """The style sheet with its own colors in the place of their names."""
    for name, value in COLOR.findall(css):
        if f"var({name})" in css:
            css = css.replace(f"{name}:{value};", "").replace(f"var({name})", value)
    return css


def selectors_in(prelude: str) -> list[str]:
    """The selectors of a rule; commas in brackets belong to one of them."""
    found = [""]
    for part in prelude.split(","):
        if found[-1].count("(") > found[-1].count(")"):
            found[-1] += f",{part}"
        else:
            found.append(part)
    return found[1:]


def without_nesting(selector: str) -> str:
    """The selector without an `&` before a space or `>`, where it is redundant."""
    return selector.removeprefix("&").lstrip() if selector.startswith(("& ", "&>")) else selector

"""Minifies style sheets: no comments, no spaces, and values in the place of the theme's names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

LENGTH = re.compile(r"^  (--[\w-]+): (\d+px);$", re.MULTILINE)
"""A length of the theme."""

DEFINED = re.compile(r"(?<![\w-])(--[\w-]+)\s*:")
"""The name of a custom property where it is defined."""

COLOR = re.compile(r"(--[\w-]+):(light-dark\([^()]*\));")
"""A custom property with one color for each theme."""

PRELUDE = re.compile(r"(?<=[{};])&[^{};]*(?=\{)")
"""The selectors of a nested rule that begins with `&`."""

STRING_OR_COMMA = re.compile(r'("[^"]*")|, ')


def minified_styles(text: str, lengths: Mapping[str, str]) -> str:
    """The minified style sheet; `lengths` are those of `constant_lengths`."""
    # only `collectstatic` needs it
    import lightningcss

    css: str = lightningcss.process_stylesheet(with_lengths(text, lengths), minify=True)
    css = PRELUDE.sub(
        lambda found: ",".join(map(without_nesting, selectors_in(found[0]))), with_colors(css)
    )
    return STRING_OR_COMMA.sub(lambda found: found[1] or ",", css)


def constant_lengths(theme: str, others: Iterable[str]) -> dict[str, str]:
    """{name: length} of what the sheet `theme` defines once and no other sheet redefines."""
    definitions = Counter(DEFINED.findall("\n".join([theme, *others])))
    return {name: px for name, px in LENGTH.findall(theme) if definitions[name] == 1}


def with_lengths(css: str, lengths: Mapping[str, str]) -> str:
    """The style sheet with lengths in the place of their names."""
    for name, px in lengths.items():
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

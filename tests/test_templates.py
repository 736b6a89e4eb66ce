"""Rules of the templates."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static/studio/js").rglob("*.js"))
MOST_COLUMNS = 160
ICON = re.compile(r'\{% icon "(\w+)"')


def test_each_icon_that_is_named_is_drawn_and_each_drawn_one_is_used() -> None:
    sprites = [path for path in TEMPLATES if path.name == "_icons.html"]
    drawn = {name for path in sprites for name in re.findall(r'id="i-(\w+)"', path.read_text())}
    named = {name for path in TEMPLATES for name in ICON.findall(path.read_text())}
    named |= {name for path in SCRIPTS for name in re.findall(r"#i-(\w+)", path.read_text())}

    assert drawn == named


def test_icons_are_not_typed_by_hand() -> None:
    assert [path.name for path in TEMPLATES if 'href="#i-' in path.read_text()] == []


def test_lines_are_not_too_long() -> None:
    long = [
        f"{path.name}:{number}"
        for path in TEMPLATES
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > MOST_COLUMNS
    ]
    assert long == []

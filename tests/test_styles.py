"""The names in style sheets exist: colours, custom properties and attributes of data."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
SHEETS = {
    path: re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    for path in (ROOT / "static/studio/css").glob("*.css")
}
STYLES = "\n".join(SHEETS.values())
TEMPLATES = "\n".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))
SCRIPTS = "\n".join(path.read_text() for path in (ROOT / "static/studio/js").rglob("*.js"))


def attributes_of_scripts() -> set[str]:
    """Attributes of data that scripts set, without `data-`; from `Parts.setData` by their keys."""
    called = set(re.findall(r'\b(?:set|toggle)Attribute\([^;]*?"data-([a-z-]+)"', SCRIPTS))
    assigned = re.findall(r"\bdataset\.(\w+) = ", SCRIPTS)
    objects = re.findall(r"\b(?:setData\(|marks: )\{([^{}]*)\}", SCRIPTS)
    keys = re.findall(r"(?:^|,)\s*(\w+)\b(?!: null)", "\n,".join(objects), re.MULTILINE)
    return called | set(keys) | {re.sub("[A-Z]", lambda x: f"-{x[0].lower()}", x) for x in assigned}


def test_components_use_the_meaning_of_a_colour_and_never_its_pigment() -> None:
    colours = ROOT / "static/studio/css/theme.css"
    pigments = re.findall(r"(--[\w-]+): light-dark\(", SHEETS[colours])
    assert pigments

    used = {
        (path.name, name)
        for path, text in SHEETS.items()
        if path != colours
        for name in re.findall(r"var\((--[\w-]+)\)", text)
    }

    assert not {(name, each) for name, each in used if each in pigments}


def test_custom_properties_are_defined() -> None:
    used = set(re.findall(r"\bvar\((--[\w-]+)", STYLES))
    defined = set(re.findall(r"(--[\w-]+):", STYLES))
    defined |= set(re.findall(r'\bsetProperty\([^;]*?"(--[\w-]+)"', SCRIPTS))

    assert {"--text", "--s3", "--pace"} <= used
    assert used <= defined, used - defined


def test_selected_attributes_are_set() -> None:
    selected = set(re.findall(r"\[data-([a-z-]+)", STYLES))
    in_templates = set(re.findall(r"[\s}]data-([a-z-]+)", TEMPLATES))
    in_scripts = attributes_of_scripts()

    assert {"layout", "asking", "stale"} <= selected
    assert selected <= in_templates | in_scripts, selected - in_templates - in_scripts


def test_named_areas_are_those_of_an_element() -> None:
    """A grid with another name places the element anywhere."""
    templates = re.findall(r"\bgrid-template(?:-areas)?:([^;]*)", STYLES)
    named = set(" ".join(re.findall(r'"([^"]*)"', " ".join(templates))).split())
    placed = set(re.findall(r"\bgrid-area: ([a-z]\w*);", STYLES))

    assert {"composer", "head", "settings"} <= named
    assert named <= placed, named - placed

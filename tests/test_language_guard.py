"""The lint of the language finds refused words in prose, and only there."""

from __future__ import annotations

import pytest

from tests.language_guard import (
    imports_of_tests,
    refused_words,
    repeated_names,
    unexplained_classes,
)

PYTHON = '''"""Returns the user.

Called by whoever asks, `nobody` and "somebody" excepted.
"""
NAME = "nobody"  # who has it?
'''


@pytest.mark.parametrize(
    ("path", "text", "lines"),
    [
        ("generation/some.py", PYTHON, [3, 5]),
        ("static/some.js", 'call("nobody");\n/* one\n * anew */\nlet a; // told\n', [3, 4]),
        ("static/some.css", "/* nobody */\n.anew { color: red }\n", [1]),
        ("templates/some.html", "<p>nobody</p>\n{# nobody #}\n<!-- told -->\n", [2, 3]),
        ("deploy/some.conf", "nobody;\n# nobody\n", [2]),
        ("docs/some.md", "nobody\n", []),
    ],
)
def test_refused_words_are_found_in_prose_alone(path: str, text: str, lines: list[int]) -> None:
    found = list(refused_words(path, text))

    assert [each.line for each in found] == lines
    assert {each.group for each in found} <= {path.partition("/")[0]}


def test_public_classes_without_a_term_are_found() -> None:
    text = "class Known: ...\nclass Unknown: ...\nclass _Private: ...\n"

    (found,) = unexplained_classes("generation/some.py", text, "| known (`Known`) | |")

    assert found.line == 2
    assert not list(unexplained_classes("generation/admin/some.py", text, ""))


def test_imports_of_test_modules_are_found() -> None:
    text = "from tests.factories import one\nfrom tests.pages import test_pages\n"

    assert [each.line for each in imports_of_tests("tests/some.py", text)] == [2]


def test_repeated_base_names_are_found() -> None:
    paths = ["generation/views/tasks.py", "generation/hub/turns.py", "generation/turns.py"]

    paths += ["generation/models/tasks.py", "tests/turns.py", "tests/pages/turns.py"]
    paths += ["tests/pages/conftest.py", "tests/conftest.py"]

    found = [each.path for each in repeated_names(paths)]

    assert found == ["generation/turns.py", "tests/pages/turns.py"]

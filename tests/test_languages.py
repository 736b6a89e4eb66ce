"""Every message has a Chinese translation with Chinese typography."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polib  # type: ignore[import-untyped]
import pytest

ROOT = Path(__file__).resolve().parent.parent
MESSAGES = ROOT / "locale" / "zh_Hans" / "LC_MESSAGES"
DOMAINS = ["django", "djangojs"]
SAYING = ["accounts", "generation", "liujuan_site", "templates", "static/studio"]
HALF_WIDTH = re.compile(r"[\u3400-\u9fff][,.!?;:](?!\w)")

Key = tuple[str | None, str, str]


def key_of(entry: polib.POEntry) -> Key:
    return entry.msgctxt, entry.msgid, entry.msgid_plural


def sentences_of(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) or [entry.msgstr]


def catalogue(domain: str) -> polib.POFile:
    return polib.pofile(str(MESSAGES / f"{domain}.po"))


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Fresh catalogues of what the sources say now."""
    if shutil.which("xgettext") is None:
        pytest.skip("gettext is not installed")
    copy = tmp_path_factory.mktemp("sources")
    for name in SAYING:
        shutil.copytree(ROOT / name, copy / name)
    (copy / "locale").mkdir()
    env = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    for domain in DOMAINS:
        command = [sys.executable, "-m", "django", "makemessages", "-l", "zh_Hans", "-d", domain]
        subprocess.run(command, cwd=copy, env=env, check=True, capture_output=True)
    yield copy / "locale" / "zh_Hans" / "LC_MESSAGES"
    shutil.rmtree(copy)


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_message_has_its_chinese_and_none_is_left_over(domain: str, extracted: Path) -> None:
    used = {key_of(entry) for entry in polib.pofile(str(extracted / f"{domain}.po"))}
    known = {key_of(entry) for entry in catalogue(domain)}

    assert sorted(map(str, used - known)) == [], "not in the catalogue"
    assert sorted(map(str, known - used)) == [], "said nowhere any more"


@pytest.mark.parametrize("domain", DOMAINS)
def test_no_translation_is_empty_guessed_or_forgotten(domain: str) -> None:
    entries = catalogue(domain)
    assert [e.msgid for e in entries if not all(map(str.strip, sentences_of(e)))] == []
    assert [e.msgid for e in entries if e.fuzzy or e.obsolete] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_is_loaded_is_what_was_translated(domain: str) -> None:
    compiled = polib.mofile(str(MESSAGES / f"{domain}.mo"))
    loaded = {key_of(entry): sentences_of(entry) for entry in compiled}
    assert loaded == {key_of(entry): sentences_of(entry) for entry in catalogue(domain)}


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_translation_fills_in_what_the_original_fills_in(domain: str) -> None:
    """A placeholder that is missing shows a sentence with a hole."""
    wrong = [
        entry.msgid
        for entry in catalogue(domain)
        for sentence in sentences_of(entry)
        if placeholders(sentence) != placeholders(entry.msgid_plural or entry.msgid)
    ]
    assert wrong == []


def placeholders(sentence: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)[a-z]|%[a-z]", sentence))


@pytest.mark.parametrize("domain", DOMAINS)
def test_chinese_is_punctuated_as_chinese(domain: str) -> None:
    sentences = [s for entry in catalogue(domain) for s in sentences_of(entry)]
    assert [s for s in sentences if HALF_WIDTH.search(s)] == []
    assert [s for s in sentences if "!" in s or "！" in s] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_chinese_addresses_its_reader_in_one_way(domain: str) -> None:
    sentences = [s for entry in catalogue(domain) for s in sentences_of(entry)]
    assert [s for s in sentences if "您" in s] == []

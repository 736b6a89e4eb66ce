"""The script catalogue of a page has all messages of its scripts, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polib  # type: ignore[import-untyped]
import pytest
from django.conf import settings
from django.test import Client

from generation.views.catalogue import PAGES, modules, sentences_of

PO = Path(settings.BASE_DIR, "locale/zh_Hans/LC_MESSAGES/djangojs.po")
MOST_BYTES = {"studio": 13_500, "gallery": 8_000, "compare": 7_700, "trash": 7_000}


def words(page: str, language: str = "zh-hans") -> dict[str, Any]:
    text = Client(headers={"accept-language": language}).get(f"/i18n/catalog.js?page={page}").text
    found = re.search(r"^globalThis\.studioWords=(.*);$", text, re.MULTILINE)
    assert found is not None
    catalogue: dict[str, Any] = json.loads(found[1])
    return catalogue


@pytest.mark.parametrize("page", PAGES)
def test_a_page_gets_the_sentences_of_its_scripts(page: str) -> None:
    catalogue = words(page)

    assert set(catalogue) == sentences_of(PAGES[page])
    assert "" not in catalogue.values()
    assert words(page, "en") == {}
    answer = Client(headers={"accept-language": "zh-hans"}).get(f"/i18n/catalog.js?page={page}")
    assert len(answer.content) < MOST_BYTES[page]


def test_every_sentence_of_the_catalogue_is_used() -> None:
    known = {entry.msgid for entry in polib.pofile(str(PO)) if not entry.obsolete}

    assert {sentence for first in PAGES.values() for sentence in sentences_of(first)} == known


def test_an_unknown_page_gets_the_whole_catalogue() -> None:
    assert len(words("nothing")) > len(words("studio")) > len(words("gallery"))


def test_modules_that_are_loaded_later_count_too() -> None:
    later = {"lib/dom.js", "ui/alerts.js", "viewer/viewer.js", "viewer/viewer-panel.js"}

    assert later < set(modules(PAGES["studio"]))

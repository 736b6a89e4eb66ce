"""Translations for the browser's scripts; each page gets those that its scripts use."""

from __future__ import annotations

import functools
import json
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.views.i18n import JavaScriptCatalog

from generation.choice_labels import labels

PAGES = {name: f"pages/{name}.js" for name in ("studio", "gallery", "compare", "trash")}
"""{page: its first script}."""

SENTENCE = re.compile(r'gettext\(\s*("(?:[^"\\]|\\.)*")')
IMPORT = re.compile(r'(?:^(?:import|export) [^"\n]*|\bimport\()"(\.[\w./-]+\.js)"', re.MULTILINE)
"""Static and dynamic imports of a module."""


class Catalogue(JavaScriptCatalog):
    """Translations as `studioWords`, and the labels of codes on the wire as `studioLabels`.

    Shorter than Django's catalogue: no functions, no formats, and with `page` only the
    translations that this page uses.
    """

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        first = PAGES.get(self.request.GET.get("page", ""))
        words = context["catalog"]
        if first is not None:
            used = sentences_of(first)
            words = {sentence: words[sentence] for sentence in words if sentence in used}
        variables = {"studioWords": words, "studioLabels": labels()}
        text = [f"globalThis.{name}={compact(value)};" for name, value in variables.items()]
        if context["plural"]:
            text.append(f"globalThis.studioPlural=n=>+({context['plural']});")
        return HttpResponse("\n".join(text), content_type='text/javascript; charset="utf-8"')


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@functools.cache
def sentences_of(first: str) -> frozenset[str]:
    """English sentences that a script and its imports pass to `gettext`."""
    texts = (source(name) for name in modules(first))
    return frozenset(json.loads(found) for text in texts for found in SENTENCE.findall(text))


def modules(first: str) -> Iterator[str]:
    """The names of a script and of everything it imports, directly or not; each once."""
    found, ahead = {first}, [first]
    while ahead:
        name = ahead.pop()
        yield name
        named = (
            posixpath.join(posixpath.dirname(name), path) for path in IMPORT.findall(source(name))
        )
        new = set(map(posixpath.normpath, named)) - found
        found |= new
        ahead += new


def source(name: str) -> str:
    path = finders.find(f"studio/js/{name}")
    assert path is not None
    return Path(path).read_text(encoding="utf-8")

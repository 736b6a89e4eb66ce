"""The words of the browser's scripts: for each page those that its scripts can say."""

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

PAGES = {name: f"pages/{name}.js" for name in ("studio", "gallery", "compare")}
"""The script that a page begins with."""

SENTENCE = re.compile(r'gettext\(\s*("(?:[^"\\]|\\.)*")')
IMPORT = re.compile(r'(?:^(?:import|export) [^"\n]*|\bimport\()"(\.[\w./-]+\.js)"', re.MULTILINE)
"""Of a module, also of one that is loaded when it is needed."""


class Catalogue(JavaScriptCatalog):
    """Translations as `studioWords`, and the words for every code on the wire as `studioLabels`.

    Shorter than Django's own: it has no functions, no formats and, with `page`, no words of others.
    """

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        first = PAGES.get(self.request.GET.get("page", ""))
        words = context["catalog"]
        if first is not None:
            said = sentences_of(first)
            words = {sentence: words[sentence] for sentence in words if sentence in said}
        told = {"studioWords": words, "studioLabels": labels()}
        text = [f"globalThis.{name}={compact(value)};" for name, value in told.items()]
        if context["plural"]:
            text.append(f"globalThis.studioPlural=n=>+({context['plural']});")
        return HttpResponse("\n".join(text), content_type='text/javascript; charset="utf-8"')


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


@functools.cache
def sentences_of(first: str) -> frozenset[str]:
    """What a script and those that it loads say, in English."""
    texts = (source(name) for name in modules(first))
    return frozenset(json.loads(found) for text in texts for found in SENTENCE.findall(text))


def modules(first: str) -> Iterator[str]:
    """A script and all that it loads, sooner or later; each once."""
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

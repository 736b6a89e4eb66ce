"""The words of the browser's scripts."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.views.i18n import JavaScriptCatalog

from generation.labels import labels


class Catalogue(JavaScriptCatalog):
    """Django's catalogue, and the words for every code on the wire as `studioLabels`."""

    def render_to_response(self, context: dict[str, Any], **options: Any) -> HttpResponse:
        response = super().render_to_response(context, **options)
        words = json.dumps(labels(), ensure_ascii=False)
        response.content += f"\nglobalThis.studioLabels = {words};\n".encode()
        return response

"""`{{ state|state_script }}`: the initial state of a page's scripts, as JSON in the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.html import json_script
from django.utils.safestring import SafeString

register = template.Library()


class Compact(DjangoJSONEncoder):
    """JSON without spaces and without escapes, which would double the bytes of Chinese text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "ensure_ascii": False, "separators": (",", ":")})


@register.filter
def state_script(state: Mapping[str, Any]) -> SafeString:
    return json_script(state, "studio-state", Compact)

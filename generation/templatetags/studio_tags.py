"""Tags and filters of all templates; `TEMPLATES` in the settings loads them everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.forms import BoundField
from django.template import Library
from django.urls import reverse
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString

from accounts import profiles, reset_links
from generation import choice_labels
from generation.choices import Step

register = Library()
register.filter(profiles.shown_name)


@register.simple_tag
@cache
def icon(name: str, classes: str = "", *, label: str = "") -> SafeString:
    """A symbol of `studio/_icons.html`; without a `label` screen readers skip it."""
    css = f"icon {classes}" if classes else "icon"
    if label:
        markup = '<svg class="{}" role="img" aria-label="{}"><use href="#i-{}"/></svg>'
        return format_html(markup, css, label, name)
    return format_html('<svg class="{}" aria-hidden="true"><use href="#i-{}"/></svg>', css, name)


@register.simple_tag
def absolute_url(view_name: str, *args: Any) -> str:
    """The URL of a page for mails, below PUBLIC_URL."""
    return reset_links.absolute_url(reverse(view_name, args=args))


@register.filter
def label(code: str, kind: str) -> str:
    return choice_labels.label(kind, code)


@register.filter
def without_placeholder(field: BoundField) -> SafeString:
    """The input of a form's field; its label says what a placeholder would repeat."""
    return field.as_widget(attrs={"placeholder": False})


@register.filter
def step_number(step: str) -> int:
    """1 to 7."""
    return Step.values.index(step) + 1


class CompactEncoder(DjangoJSONEncoder):
    """JSON without spaces and without escapes, which would double the bytes of Chinese text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "ensure_ascii": False, "separators": (",", ":")})


@register.filter
def state_script(state: Mapping[str, Any]) -> SafeString:
    """The initial state of a page's scripts, as JSON in the page."""
    return json_script(state, "studio-state", CompactEncoder)

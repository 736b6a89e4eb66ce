"""Filters of the operations page."""

from __future__ import annotations

import uuid

from django.template import Library
from django.utils.translation import gettext as _

from generation import quantity_text

register = Library()
register.filter("elapsed", quantity_text.elapsed)


@register.filter
def measured(seconds: float | None) -> str:
    """A measured duration, or a dash."""
    return "–" if seconds is None else quantity_text.duration(seconds)


@register.filter
def milliseconds(seconds: float | None) -> str:
    return "–" if seconds is None else _("%(n)s ms") % {"n": round(seconds * 1_000)}


@register.filter
def short_id(key: uuid.UUID) -> str:
    return str(key)[:8]

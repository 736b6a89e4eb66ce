"""`{{ code|label:"step" }}`: the words for a code; `{{ step|step_number }}`: its place of seven."""

from __future__ import annotations

from django.template import Library

from generation.choice_labels import label
from generation.choices import Step

register = Library()


@register.filter(name="label")
def words(code: str, what: str) -> str:
    return label(what, code)


@register.filter
def step_number(step: str) -> int:
    return Step.values.index(step) + 1

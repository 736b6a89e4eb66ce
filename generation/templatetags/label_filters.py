"""`{{ code|label:"step" }}`: the label of a code; `{{ step|step_number }}`: its number, 1 to 7."""

from __future__ import annotations

from django.template import Library

from generation.choice_labels import label
from generation.choices import Step

register = Library()


@register.filter(name="label")
def label_of(code: str, kind: str) -> str:
    return label(kind, code)


@register.filter
def step_number(step: str) -> int:
    return Step.values.index(step) + 1

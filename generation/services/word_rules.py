"""Word rules: what words in a prompt cause, and how staff change the rules."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import StrIndex

from generation.choices import AuditAction, WordAction
from generation.compiled_query import CompiledQuery, Parameter
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.models import WordRule
from generation.services.audit import record_action
from generation.unicode_text import folded_words

if TYPE_CHECKING:
    from django.contrib.auth.models import User

MAX_NAMED = 10
"""Words that one error names."""

RULES_OF_PROMPT = CompiledQuery(
    WordRule.objects.filter(enabled=True)
    .alias(place=StrIndex(Parameter("folded", TextField()), "folded"))
    .filter(place__gt=0)
    .values_list("words", "action")
)


def word_action(prompt: str) -> str:
    """What the rules ask for the pictures of a prompt: HOLD, FLAG, or "".

    Raises InvalidInput, which names the words, if a rule refuses it. The database compares, so
    that a submission does not read all rules.
    """
    found = RULES_OF_PROMPT.rows(folded=folded_words(prompt))
    refused = [words for words, action in found if action == WordAction.REFUSE]
    if refused:
        raise InvalidInput(ErrorCode.WORDS_REFUSED, "prompt", data={"words": refused[:MAX_NAMED]})
    actions = {action for _words, action in found}
    return WordAction.HOLD if WordAction.HOLD in actions else max(actions, default="")


def save_word_rule(*, rule: WordRule, actor: User, address: str, now: datetime) -> None:
    """Add or change a rule, and record it in the audit log."""
    change = "added" if rule.pk is None else "changed"
    with transaction.atomic():
        rule.save()
        record_rule(rule, change, actor=actor, address=address, now=now)


def delete_word_rules(
    *, rules: Iterable[WordRule], actor: User, address: str, now: datetime
) -> None:
    """Delete rules, and record each in the audit log."""
    with transaction.atomic():
        for rule in rules:
            record_rule(rule, "deleted", actor=actor, address=address, now=now)
            rule.delete()


def record_rule(rule: WordRule, change: str, *, actor: User, address: str, now: datetime) -> None:
    record_action(
        actor=actor,
        action=AuditAction.WORD_RULE_CHANGED,
        now=now,
        address=address,
        change=change,
        words=rule.words,
        rule_action=rule.action,
        enabled=rule.enabled,
    )

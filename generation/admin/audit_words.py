"""Details of audit entries in the reader's language; the stored ones are codes and names."""

from __future__ import annotations

from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from generation.choices import AuditAction, RetentionKind, ReviewState, WordAction

CHOICES: dict[str, type[TextChoices]] = {
    "state": ReviewState,
    "before": ReviewState,
    "rule_action": WordAction,
}


def details_text(action: str, details: dict[str, Any]) -> str:
    """One line with all details, each with its name; empty if there are none."""
    names = {
        "state": _("decision"),
        "before": _("before"),
        "undone": _("undone decision"),
        "version": _("number"),
        "note": _("note"),
        "change": _("change"),
        "words": _("words"),
        "rule_action": _("action"),
        "enabled": _("enabled"),
        "model": _("model"),
        "worker": _("worker"),
        "host": _("host"),
        "pid": _("process"),
        "slots": _("slots"),
        "kind": _("kind"),
        "group": _("group"),
        "days": _("days"),
        "deleted": pgettext("audit", "deleted"),
        "filters": _("filters"),
        "searched": _("searched"),
    }
    shown = [(names.get(key, key), value_text(action, key, details[key])) for key in details]
    pair = _("%(name)s: %(value)s")
    return " · ".join(pair % {"name": name, "value": text} for name, text in shown if text)


def value_text(action: str, key: str, value: Any) -> str:
    """A code as its label; other values as they are."""
    choices = CHOICES.get(key)
    if key == "kind" and action == AuditAction.RETENTION_CHANGED:
        choices = RetentionKind
    if choices is not None and value in choices.values:
        return str(choices(value).label)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        return ", ".join(f"{name}={each}" for name, each in value.items())
    changes = {
        "added": pgettext("audit", "added"),
        "changed": pgettext("audit", "changed"),
        "deleted": pgettext("audit", "deleted"),
    }
    return changes.get(value, value) if key == "change" else str("" if value is None else value)

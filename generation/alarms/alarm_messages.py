"""Messages to operators about incidents: JSON for ALERT_URL, text for ADMINS."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext

from generation.choices import AlarmKind
from generation.models import Incident, IncidentNotice

RUNBOOK = "docs/operations.md"
RUNBOOKS = {
    AlarmKind.NO_WORKER: "no-worker",
    AlarmKind.MODEL_DOWN: "model-down",
    AlarmKind.KEY_REFUSED: "key-refused",
    AlarmKind.DISK_FULL: "disk-nearly-full",
    AlarmKind.OLDEST_WAIT: "tasks-wait-too-long",
    AlarmKind.FAILURE_RATE: "many-failures",
}
"""Headings of RUNBOOK that say what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMessage:
    """One message, ready to be sent."""

    subject: str
    text: str
    body: str
    message_id: str


def message_of(notices: Sequence[IncidentNotice], now: datetime) -> AlarmMessage:
    """One message about incidents of one kind, in the language of the installation."""
    first, incidents = notices[0], [notice.incident for notice in notices]
    with translation.override(settings.LANGUAGE_CODE):
        title = title_of(incidents)
        over = gettext("Over: {title}").format(title=title)
        subject = over if first.is_clear else gettext("Alarm: {title}").format(title=title)
        text = text_of(incidents, subject, is_clear=first.is_clear)
    return AlarmMessage(
        subject=f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{subject}",
        text=text,
        body=json.dumps(content_of(notices, subject, now), ensure_ascii=False),
        # the same for each try, so that receivers recognise repeated ones
        message_id=f"alert_{first.incident.pk}_{'closed' if first.is_clear else 'opened'}",
    )


def title_of(incidents: Sequence[Incident]) -> str:
    first, *others = incidents
    if not others:
        return first.title
    sentence = ngettext("{title} and {n} more", "{title} and {n} more", len(others))
    return sentence.format(title=first.title, n=len(others))


def test_message(now: datetime) -> AlarmMessage:
    """For trying the channels."""
    with translation.override(settings.LANGUAGE_CODE):
        subject = gettext("Test of the alarms")
        text = gettext(
            "This message was sent by manage.py test_alarms. Alarms of {url} arrive here."
        ).format(url=settings.SITE_URLS[0])
    content = {
        "type": "alert.test",
        "timestamp": now.isoformat(),
        "data": {"text": subject, "site": settings.SITE_URLS[0]},
    }
    return AlarmMessage(
        subject=f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{subject}",
        text=f"{text}\n",
        body=json.dumps(content, ensure_ascii=False),
        message_id=f"alert_test_{uuid.uuid4().hex}",
    )


def text_of(incidents: Sequence[Incident], subject: str, *, is_clear: bool) -> str:
    lines = [subject, gettext("Site: {url}").format(url=settings.SITE_URLS[0])]
    for incident in incidents:
        if len(incidents) > 1:
            lines += ["", incident.subject]
        lines.append(gettext("Began: {time}").format(time=time_of(incident.since)))
        if incident.detail:
            lines.append(gettext("Cause: {cause}").format(cause=incident.detail))
        if is_clear:
            lines.append(gettext("Ended: {time}").format(time=time_of(incident.clear_since)))
    if not is_clear:
        lines.append(gettext("What to do: {runbook}").format(runbook=runbook_of(incidents[0])))
    return "\n".join(lines) + "\n"


def content_of(notices: Sequence[IncidentNotice], subject: str, now: datetime) -> dict[str, object]:
    """`data` is about the first incident; `more`: ids, subjects and causes of the others."""
    notice = notices[0]
    incident = notice.incident
    closed = incident.clear_since if notice.is_clear else None
    others = [each.incident for each in notices[1:]]
    return {
        "type": "alert.closed" if notice.is_clear else "alert.opened",
        "timestamp": now.isoformat(),
        "data": {
            "id": incident.pk,
            "kind": incident.kind,
            "subject": incident.subject,
            "text": subject,
            "cause": incident.detail,
            "began": incident.since.isoformat(),
            "ended": closed.isoformat() if closed else None,
            "runbook": runbook_of(incident),
            "site": settings.SITE_URLS[0],
            "more": [
                {"id": each.pk, "subject": each.subject, "cause": each.detail} for each in others
            ],
        },
    }


def runbook_of(incident: Incident) -> str:
    return f"{RUNBOOK}#{RUNBOOKS[AlarmKind(incident.kind)]}"


def time_of(moment: datetime | None) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"


def mail_admins(message: AlarmMessage) -> None:
    """Raises OSError, smtplib's errors among them, and whatever else a mail backend raises."""
    addresses = [address for _name, address in settings.ADMINS]
    send_mail(message.subject, message.text, settings.DEFAULT_FROM_EMAIL, addresses)

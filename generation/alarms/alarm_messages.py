"""Messages to operators about incidents: JSON for ALERT_URL, text for ADMINS."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.core.mail import send_mail
from django.utils import timezone, translation
from django.utils.translation import gettext

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
    """One notice, ready to be sent."""

    subject: str
    text: str
    body: str
    message_id: str


def message_of(notice: IncidentNotice, now: datetime) -> AlarmMessage:
    """In the language of the installation."""
    incident = notice.incident
    with translation.override(settings.LANGUAGE_CODE):
        title = incident.title
        over = gettext("Over: {title}").format(title=title)
        subject = over if notice.is_clear else gettext("Alarm: {title}").format(title=title)
        text = text_of(incident, subject, is_clear=notice.is_clear)
    return AlarmMessage(
        subject=f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{subject}",
        text=text,
        body=json.dumps(content_of(notice, subject, now), ensure_ascii=False),
        # the same for each try, so that receivers recognise repeated ones
        message_id=f"alert_{incident.pk}_{'closed' if notice.is_clear else 'opened'}",
    )


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


def text_of(incident: Incident, subject: str, *, is_clear: bool) -> str:
    lines = [
        subject,
        gettext("Site: {url}").format(url=settings.SITE_URLS[0]),
        gettext("Began: {time}").format(time=time_of(incident.since)),
    ]
    if incident.detail:
        lines.append(gettext("Cause: {cause}").format(cause=incident.detail))
    if is_clear:
        lines.append(gettext("Ended: {time}").format(time=time_of(incident.clear_since)))
    else:
        lines.append(gettext("What to do: {runbook}").format(runbook=runbook_of(incident)))
    return "\n".join(lines) + "\n"


def content_of(notice: IncidentNotice, subject: str, now: datetime) -> dict[str, object]:
    incident = notice.incident
    closed = incident.clear_since if notice.is_clear else None
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

"""Tells the owner of a webhook by mail that it was turned off; the page says it too."""

from __future__ import annotations

import logging

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from accounts.log_format import log_line
from accounts.profiles import profile_of
from generation.models import WebhookEndpoint
from generation.outages import cause_of

logger = logging.getLogger(__name__)

TEMPLATE = "account/email/webhook_off"


def send_notice(endpoint: WebhookEndpoint) -> None:
    """Without mail, or for an owner without an address, only the log says it."""
    owner = endpoint.owner
    logger.warning("%s", log_line("webhook_off", webhook=endpoint.pk, account=owner.username))
    if not settings.EMAIL_URL or not owner.email:
        return
    profile = profile_of(owner)
    content = {"user": owner, "url": endpoint.url, "webhook": endpoint.pk}
    with translation.override((profile and profile.language) or settings.LANGUAGE_CODE):
        subject = render_to_string(f"{TEMPLATE}_subject.txt").strip()
        text = render_to_string(f"{TEMPLATE}_message.txt", content).strip()
    try:
        owner.email_user(settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + subject, text)
    except OSError as error:
        # smtplib's errors are OSError
        logger.warning("%s", log_line("mail_failed", cause=cause_of(error)))

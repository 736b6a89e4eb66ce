"""Tells the owner of a webhook by mail that it was turned off; the page says it too."""

from __future__ import annotations

import logging

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.log_format import log_line
from generation.models import WebhookEndpoint
from generation.outages import cause_of

logger = logging.getLogger(__name__)


def send_notice(endpoint: WebhookEndpoint) -> None:
    """Without mail, or for an owner without an address, only the log says it."""
    owner = endpoint.owner
    logger.warning("%s", log_line("webhook_off", webhook=endpoint.pk, account=owner.username))
    if not settings.EMAIL_URL or not owner.email:
        return
    with translation.override(settings.LANGUAGE_CODE):
        subject = settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + _("A webhook was turned off")
        text = _(
            "Messages to %(url)s have failed for too long, or the receiver asked for no more. "
            "You can turn it on again under “Webhooks” in your account."
        ) % {"url": endpoint.url}
    try:
        owner.email_user(subject, text)
    except OSError as error:
        # smtplib's errors are OSError
        logger.warning("%s", log_line("mail_failed", cause=cause_of(error)))

"""The account pages of webhooks: a list, a form for a new one, and one with its deliveries."""

from __future__ import annotations

import re
import uuid
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import secret_box
from accounts.client_address import client_address
from accounts.confirmation import confirmed
from generation import limits, selectors, services
from generation.choices import EventKind
from generation.clock import clock
from generation.exceptions import InvalidInput
from generation.models.webhooks import type_of
from generation.protocol import WebhookRequest
from generation.services import NewWebhook
from generation.views.error_pages import rate_limited

NEW_SECRET = "generation.new_webhook_secret"  # noqa: S105  a key of sessions
"""Holds the id of a new webhook and its encrypted secret until the page has shown it."""

PAGE_DELIVERIES = 30
BEFORE = re.compile(r"\d{1,18}", re.ASCII)


class WebhookForm(forms.Form):
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=limits.MAX_WEBHOOK_URL,
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "url"}),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Also send"),
        required=False,
        choices=[
            (type_of(kind.value), kind.label)
            for kind in EventKind
            if kind.value in services.OPTIONAL_KINDS
        ],
        widget=forms.CheckboxSelectMultiple,
    )


@require_safe
@login_required
@never_cache
@rate_limited
def webhooks(request: HttpRequest) -> HttpResponse:
    context = {"webhooks": selectors.webhooks_of(user_of(request)), "most": limits.MAX_WEBHOOKS}
    return render(request, "account/webhooks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@confirmed
def new_webhook(request: HttpRequest) -> HttpResponse:
    """The form. The next page shows the secret, so that a reload creates no other webhook."""
    form = WebhookForm(request.POST or None)
    created = create(request, form) if form.is_valid() else None
    if created is None:
        return render(request, "account/new_webhook.html", {"form": form})
    key = str(created.endpoint.pk)
    request.session[NEW_SECRET] = {key: secret_box.encrypt(created.secret)}
    return redirect("webhook", key)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@confirmed
@rate_limited
def edit_webhook(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
    """The form of a webhook that is there; its secret stays."""
    endpoint = selectors.webhook_of(user_of(request), webhook_id)
    types = [type_of(kind) for kind in endpoint.kinds]
    form = WebhookForm(request.POST or None, initial={"url": endpoint.url, "events": types})
    if form.is_valid() and change(request, form, webhook_id):
        messages.success(request, _("The webhook was changed."))
        return redirect("webhook", webhook_id)
    return render(request, "account/edit_webhook.html", {"form": form, "webhook": endpoint})


def change(request: HttpRequest, form: WebhookForm, webhook_id: uuid.UUID) -> bool:
    """False, with an error in the form, if it is refused."""
    changes: dict[str, Any] = {"types": form.cleaned_data["events"]}
    # an address that stays belongs to its program as before
    if "url" in form.changed_data:
        changes["url"] = form.cleaned_data["url"]
    try:
        services.change_webhook(
            owner=user_of(request),
            webhook_id=webhook_id,
            changes=changes,
            address=client_address(request),
        )
    except InvalidInput as error:
        add_error(form, error)
        return False
    return True


def add_error(form: WebhookForm, error: InvalidInput) -> None:
    form.add_error("url" if error.field == "url" else None, str(error.code.label))


def create(request: HttpRequest, form: WebhookForm) -> NewWebhook | None:
    """The new webhook; None, with an error in the form, if it is refused."""
    fields: dict[str, Any] = form.cleaned_data
    try:
        wanted = WebhookRequest(url=fields["url"], events=tuple(fields["events"]))
        return services.create_webhook(
            owner=user_of(request),
            values=services.webhook_values(wanted),
            now=clock.now(),
            address=client_address(request),
        )
    except InvalidInput as error:
        add_error(form, error)
        return None


@require_safe
@login_required
@never_cache
@rate_limited
def webhook(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
    """One webhook with its deliveries, newest first; a new secret is shown once."""
    endpoint = selectors.webhook_of(user_of(request), webhook_id)
    before = BEFORE.fullmatch(request.GET.get("before", ""))
    deliveries, further = selectors.attempts_page(
        endpoint, before=int(before[0]) if before else None, limit=PAGE_DELIVERIES
    )
    encrypted = request.session.get(NEW_SECRET, {}).get(str(endpoint.pk))
    if encrypted:
        del request.session[NEW_SECRET]
    context = {
        "webhook": endpoint,
        "kinds": [EventKind(kind).label for kind in endpoint.kinds],
        "deliveries": deliveries,
        "further": further,
        "is_waiting": any(each.seconds is None for each in deliveries),
        "new_secret": encrypted and secret_box.decrypt(encrypted),
    }
    return render(request, "account/webhook.html", context)


@require_POST
@login_required
@never_cache
@rate_limited
def test_webhook(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
    services.request_test(owner=user_of(request), webhook_id=webhook_id, now=clock.now())
    return redirect("webhook", webhook_id)


@require_POST
@login_required
@never_cache
@rate_limited
def resend(request: HttpRequest, webhook_id: uuid.UUID, delivery_id: int) -> HttpResponse:
    services.request_again(
        owner=user_of(request), webhook_id=webhook_id, attempt_id=delivery_id, now=clock.now()
    )
    return redirect("webhook", webhook_id)


@require_POST
@login_required
@never_cache
@rate_limited
def switch_webhook(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
    """Turn it on, or off without the field `on`."""
    changes = {"enabled": "on" in request.POST}
    services.change_webhook(
        owner=user_of(request),
        webhook_id=webhook_id,
        changes=changes,
        address=client_address(request),
    )
    return redirect("webhook", webhook_id)


@require_POST
@login_required
@never_cache
@rate_limited
def delete_webhook(request: HttpRequest, webhook_id: uuid.UUID) -> HttpResponse:
    services.delete_webhook(
        owner=user_of(request), webhook_id=webhook_id, address=client_address(request)
    )
    messages.success(request, _("The webhook was deleted, and no more messages are sent there."))
    return redirect("webhooks")


def user_of(request: HttpRequest) -> User:
    return cast("User", request.user)

"""Pages that ask for the password again."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.decorators import reauthentication_required
from django.contrib.auth.decorators import login_required
from django.http import HttpResponseBase

View = Callable[..., HttpResponseBase]


def confirmed(view: View) -> View:
    """Show the view only within a few minutes after the user gave a password, code or passkey.

    Otherwise these are asked for first; a POST then continues with its own form.
    """
    checked: View = reauthentication_required(view)
    return login_required(checked)

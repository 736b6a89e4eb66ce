"""Forms of allauth whose checks or words are ours, and the field of a name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import (
    ChangePasswordForm,
    LoginForm,
    ReauthenticateForm,
    ResetPasswordKeyForm,
)
from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms
from django.contrib import messages
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from accounts.client_address import client_address
from accounts.notices import mail_kept_programs, mail_revoked_programs
from accounts.sign_in import SignInThrottled, check_password
from accounts.tokens import revoke_tokens
from accounts.visible_text import on_one_line

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class NameField(forms.CharField):
    """A name that others see: one line of visible characters, in normal form C."""

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        try:
            return on_one_line(text)
        except ValueError as error:
            raise forms.ValidationError(
                gettext("This name has characters that cannot be seen. Type it again."),
                code="hidden",
            ) from error


class ThrottledForm(forms.Form):
    """A form whose password was perhaps not checked."""

    throttled: SignInThrottled | None = None

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Turn SignInThrottled into an error of the form."""
        try:
            yield
        except SignInThrottled as throttled:
            self.throttled = throttled
            raise forms.ValidationError(sentence_of(throttled), code="throttled") from throttled


class SignInForm(LoginForm, ThrottledForm):  # type: ignore[misc]
    def clean(self) -> dict[str, Any] | None:
        with self.limited():
            return super().clean()


class ConfirmForm(ReauthenticateForm, ThrottledForm):  # type: ignore[misc]
    """Asks for the password again before a change of how one signs in."""

    def clean_password(self) -> str:
        with self.limited():
            password: str = super().clean_password()
            return password


class NewPasswordForm(ResetPasswordKeyForm):  # type: ignore[misc]
    """Replaces a forgotten or stolen password: programs are signed out unless the user keeps them.

    A program may be of the person who stole it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = gettext("New password")
        self.fields["password2"].label = gettext("New password again")
        # without a user the link does not work
        if self.user is not None and self.user.tokens.exists():
            self.fields["keep_programs"] = forms.BooleanField(
                required=False,
                label=gettext("Keep my programs signed in"),
                help_text=gettext(
                    "If not, all your tokens are revoked, and the webhooks that programs set are"
                    " deleted. Keep them only if no other person knew your password."
                ),
            )

    def save(self) -> None:
        keeps_programs = bool(self.cleaned_data.get("keep_programs"))
        save_password(self.user, self.cleaned_data["password1"], keeps_programs=keeps_programs)
        if keeps_programs:
            report_kept_programs(self.user)


class PasswordForm(ChangePasswordForm, ThrottledForm):  # type: ignore[misc]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["oldpassword"].label = gettext("Current password")
        self.fields["password1"].label = gettext("New password")
        self.fields["password2"].label = gettext("New password again")
        if self.user.tokens.exists():
            self.fields["revoke_programs"] = forms.BooleanField(
                required=False,
                label=gettext("Sign out all my programs too"),
                help_text=gettext(
                    "All your tokens are revoked, and the webhooks that programs set are deleted."
                ),
            )

    def save(self) -> None:
        keeps_programs = not self.cleaned_data.get("revoke_programs")
        save_password(self.user, self.cleaned_data["password1"], keeps_programs=keeps_programs)

    def clean_oldpassword(self) -> str:
        password: str = self.cleaned_data["oldpassword"]
        with self.limited():
            right = check_password(context.request, self.user, password, purpose="password_change")
        if not right:
            raise get_adapter().validation_error("enter_current_password")
        return password


class ActivateTotpForm(ActivateTOTPForm):  # type: ignore[misc]
    """The code that turns the second factor on cannot be used again for signing in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # overrides allauth's Chinese for its other forms too
        self.fields["code"].label = gettext("Code")

    def clean_code(self) -> str:
        code: str = super().clean_code()
        TOTP(Authenticator(user=self.user))._mark_code_used(code)
        return code


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new key signs in without a password, unless the user decides otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = gettext("Name of this key")
        field = self.fields["passwordless"]
        field.initial = True
        field.label = gettext("Signs me in without my password")
        field.help_text = ""


def save_password(user: User, password: str, *, keeps_programs: bool) -> None:
    # hashed before the transaction, which keeps all other writers of SQLite waiting
    user.set_password(password)
    with transaction.atomic():
        user.save()
        if not keeps_programs:
            revoke_programs(user)


def revoke_programs(user: User) -> None:
    """Revoke all tokens of `user`, and report it on the next page and by mail."""
    request = context.request
    tokens = revoke_tokens(owner=user, address=client_address(request))
    if tokens:
        messages.success(request, gettext("All your programs are signed out."))
        transaction.on_commit(lambda: mail_revoked_programs(request, user, tokens))


def report_kept_programs(user: User) -> None:
    """Report on the next page and by mail which programs stay signed in."""
    request = context.request
    tokens = list(user.tokens.valid(now=timezone.now()))
    if tokens:
        messages.success(request, gettext("Your programs stay signed in."))
        mail_kept_programs(request, user, tokens)


def sentence_of(throttled: SignInThrottled) -> str:
    if not throttled.wait:
        return gettext("Many people are signing in right now. Try again in a few seconds.")
    seconds = ceil(throttled.wait)
    return ngettext(
        "Too many attempts. Wait %(seconds)s second, then try again.",
        "Too many attempts. Wait %(seconds)s seconds, then try again.",
        seconds,
    ) % {"seconds": seconds}

"""Rules for new passwords."""

from __future__ import annotations

from django.contrib.auth.password_validation import MinimumLengthValidator
from django.utils.translation import ngettext


class LengthValidator(MinimumLengthValidator):
    """Django's, with sentences that are also in Chinese."""

    def get_error_message(self) -> str:
        return ngettext(
            "The password needs at least %(count)s character.",
            "The password needs at least %(count)s characters.",
            self.min_length,
        ) % {"count": self.min_length}

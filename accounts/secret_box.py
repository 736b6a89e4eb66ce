"""Encryption of secrets in the database, with a key that is derived from SECRET_KEY.

A copy of the database alone does not show second factors. SECRET_KEY_FALLBACKS decrypt, so that a
new key needs no migration.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

SALT = "accounts.secrets"


def encrypt(text: str) -> str:
    return cipher().encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    """Raises cryptography.fernet.InvalidToken if no key of the settings has encrypted it."""
    return cipher().decrypt(encrypted.encode()).decode()


def cipher() -> MultiFernet:
    """Encrypts with the first key, decrypts with any."""
    return MultiFernet(
        Fernet(derived_key(secret))
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )


def derived_key(secret: str) -> bytes:
    digest = salted_hmac(SALT, "fernet", secret=secret, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest)

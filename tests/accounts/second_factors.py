"""Steps to turn on a second factor, and to sign in with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time

from django.test import Client

from tests.accounts.sign_in_attempts import GOOD, confirm

FACTORS = "/accounts/2fa/"
CODE_PAGE = "/accounts/2fa/authenticate/"


def code_of(secret: str, steps: int = 0) -> str:
    """RFC 6238, written apart from the code under test; `steps` periods from now."""
    key = base64.b32decode(secret)
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + steps), hashlib.sha1).digest()
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 15)
    return f"{(number & 0x7FFFFFFF) % 10**6:06d}"


def enrol(client: Client) -> tuple[str, str, list[str]]:
    """The secret, the code that was used, and the recovery codes."""
    confirm(client)
    page = client.get(f"{FACTORS}totp/activate/")
    secret: str = page.context["form"].secret
    code = code_of(secret)
    answer = client.post(f"{FACTORS}totp/activate/", {"code": code}, follow=True)
    assert answer.context["unused_codes"], answer.text
    return secret, code, list(answer.context["unused_codes"])


def pending(name: str = "alice") -> Client:
    """A browser in which the password was right and the second factor is missing."""
    client = Client()
    answer = client.post("/accounts/sign-in/", {"login": name, "password": GOOD})
    assert answer["Location"] == CODE_PAGE
    assert client.get("/").status_code == 302
    return client

"""What the owner has, and clients of each role."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from fido2.cose import ES256
from fido2.utils import sha256, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from accounts.models import Invitation, TokenScope
from accounts.token_hashing import digest_of
from accounts.tokens import create_token
from generation import services
from generation.choices import AlarmKind
from generation.models import (
    GenerationTask,
    Incident,
    LimitOverride,
    PruneRun,
    RetentionRule,
    WordRule,
)
from generation.protocol import WebhookRequest
from tests.factories import failed_task, finished_task, hide, put_in_trash, submit

OF_TOKENS = ("expired", "reader")
NUMBERS = ("pk", "image", "token", "session", "delivery_id")
"""Names of what has a number for its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    client: Client
    users: Mapping[str, User]
    sessions: Mapping[str, str]
    """Session keys by role."""
    tokens: Mapping[str, str]
    """API tokens by role."""
    names: Mapping[str, str]
    """What the owner has, by the names that rows use."""

    def headers(self, role: str, is_program: bool = False) -> dict[str, str]:
        """What a request of this role is sent with; programs send tokens only."""
        if role == "anonymous":
            return {}
        if is_program or role in OF_TOKENS:
            return {"authorization": f"Bearer {self.tokens[role]}"}
        return {"cookie": f"{settings.SESSION_COOKIE_NAME}={self.sessions[role]}"}

    def unknown(self) -> dict[str, str]:
        """Names of what does not exist."""
        nothing = {name: str(uuid.UUID(int=n + 1)) for n, name in enumerate(self.names)}
        # as long as that of the owner, because pages repeat it
        numbers = {name: "9" * len(self.names[name]) for name in NUMBERS}
        return {**nothing, **numbers, "index": "1"}


def create_world(now: datetime) -> World:
    users = {
        "owner": User.objects.create_user("owner"),
        "other": User.objects.create_user("other"),
        "staff": User.objects.create_user("staff", is_staff=True),
        "reviewer": User.objects.create_user("reviewer", is_staff=True),
        "operator": User.objects.create_user("operator", is_staff=True),
        "superuser": User.objects.create_superuser("superuser"),
    }
    may = {each.codename: each for each in Permission.objects.filter(codename__contains="_")}
    users["reviewer"].user_permissions.add(may["view_generationtask"], may["add_review"])
    users["operator"].user_permissions.add(
        may["view_generationtask"], may["change_generationtask"], may["change_installation"]
    )
    # sent with no password, which costs a second to hash
    User.objects.update(password="pbkdf2_sha256$1$salt$hash")
    users = {role: User.objects.get(username=role) for role in users}
    users["disabled"] = owner = users["owner"]
    return World(
        client=Client(raise_request_exception=False),
        users=users,
        sessions={role: session_of(user) for role, user in users.items()},
        tokens={role: create_token(owner=user, name="", now=now) for role, user in users.items()}
        | {
            "expired": create_token(owner=owner, name="", now=now, expires_at=now),
            "reader": create_token(owner=owner, name="", now=now, scope=TokenScope.READ),
        },
        names=what_belongs_to(owner, now),
    )


def session_of(user: User) -> str:
    """The key of a session that has confirmed the password."""
    client = Client()
    client.force_login(user)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time(), "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def passkey() -> dict[str, Any]:
    """A passkey as a browser registers it."""
    key = ES256.from_cryptography_key(generate_private_key(SECP256R1()).public_key())
    credential = AttestedCredentialData.create(Aaguid.NONE, b"passkey", key)
    flags = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV | AuthenticatorData.FLAG.AT
    data = AuthenticatorData.create(sha256(b"testserver"), flags, 0, credential)
    response = {
        "clientDataJSON": websafe_encode(
            CollectedClientData.create("webauthn.create", b"", "http://testserver")
        ),
        "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
    }
    return {
        "id": websafe_encode(b"passkey"),
        "rawId": websafe_encode(b"passkey"),
        "type": "public-key",
        "response": response,
    }


def what_belongs_to(owner: User, now: datetime) -> dict[str, str]:
    worker = services.register_worker(host="here", pid=1, version="test", now=now)
    failed = failed_task(owner, worker, now)
    task = finished_task(owner, now)
    trashed, other_trashed = finished_task(owner, now), finished_task(owner, now, pictures=2)
    put_in_trash(owner, now, (other_trashed, 1), tasks=[trashed])
    link, _expires = services.create_link(task=task, now=now)
    hidden = finished_task(owner, now)
    hide(hidden.images.get(), now)
    device = Authenticator.objects.create(
        user=owner, type=Authenticator.Type.WEBAUTHN, data={"name": "key", "credential": passkey()}
    )
    EmailAddress.objects.create(user=owner, email="owner@studio.example", verified=True)
    invitation = "i" * 43
    Invitation.objects.create(
        digest=digest_of(invitation), created=now, expires_at=now + timedelta(days=1)
    )
    LimitOverride.objects.create(user=owner, kind="unfinished", value=9)
    RetentionRule.objects.create(user=owner, kind="prompts", days=9)
    PruneRun.objects.create(day=now.date(), started_at=now)
    WordRule.objects.create(words="rain", action="flag")
    create_token(owner=owner, name="theirs", now=now)
    Incident.objects.create(kind=AlarmKind.NO_WORKER, since=now)
    webhook = services.create_webhook(
        owner=owner,
        values=services.webhook_values(WebhookRequest(url="https://hooks.example/")),
        now=now,
    )
    test = services.request_test(owner=owner, webhook_id=webhook.endpoint.pk, now=now)
    group = Group.objects.create(name="painters")
    session = UserSession.objects.create(
        user=owner, ip="127.0.0.1", session_key=session_of(owner), user_agent="", data={}
    )
    return {
        "task": str(task.pk),
        "image": str(task.images.get().pk),
        "failed": str(failed.pk),
        "queued": str(submit(owner, now).pk),
        "trashed": str(trashed.pk),
        "half_trashed": str(other_trashed.pk),
        "hidden": str(hidden.pk),
        "index": "1",
        "link": link,
        "pk": str(device.pk),
        "session": str(session.pk),
        "token": str(owner.tokens.get(name="theirs").pk),
        "webhook_id": str(webhook.endpoint.pk),
        "delivery_id": str(test.pk),
        "user": str(owner.pk),
        "group": str(group.pk),
        "invitation": invitation,
        "content_type": str(ContentType.objects.get_for_model(GenerationTask).pk),
    }

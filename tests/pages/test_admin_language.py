"""Pages of the admin in Chinese have no English sentence."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse

from generation import services
from generation.models import ModelSlot
from tests.conftest import serve_model
from tests.factories import finished_task
from tests.pages.page_clients import signed_in
from tests.reviewing import decide, make_reviewer, picture_of

pytestmark = pytest.mark.django_db

SHOWN = re.compile(r'>([^<>]+)<|(?:alt|title|placeholder|aria-label)="([^"]+)"')
SCRIPTS = re.compile(r"<(script|style)\b.*?</\1>", re.DOTALL)
ENGLISH = re.compile(r"[A-Za-z]{3,}(?: [a-z]{2,})+|^(?:Search|[A-Z][a-z]{2,}:?)$")
IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ICONS = re.compile(r"^(?:True|False|None)$")
NAMES = re.compile(r"LiuJuan Studio|^English$")


def english_in(html: str) -> set[str]:
    # an id counts as a word: whether its end looks like one is chance
    html = IDS.sub("identifier", SCRIPTS.sub("", html))
    texts = [" ".join("".join(found).split()) for found in SHOWN.findall(html)]
    words = {text for text in texts if ENGLISH.search(text) and not NAMES.search(text)}
    return words | {text for text in texts if ICONS.search(text)}


def test_lists_and_forms_have_no_english(alice: User, now: datetime) -> None:
    serve_model(now=now, slots=2)
    services.create_link(task=finished_task(alice, now, prompt="画"), now=now)
    decide(make_reviewer("mei"), picture_of(alice, now, prompt="柳"), "approved", now)
    Authenticator.objects.create(user=alice, type="totp", data={"secret": "x"})
    assert ModelSlot.objects.exists()
    client = signed_in(User.objects.create_superuser("root"))

    english = {}
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{{}}".format
        row = model._default_manager.order_by("-pk").first()
        paths = [reverse(name("changelist")), reverse(name("add"))]
        paths += [reverse(name("change"), args=[row.pk])] if row else []
        for path in paths:
            response = client.get(path)
            if response.status_code == 200:
                english[path] = english_in(response.text)

    assert len(english) > 30
    # the English wording of a preset reason is shown beside the Chinese one
    preset = "/admin/generation/reviewreason/"
    assert {k: v for k, v in english.items() if v and not k.startswith(preset)} == {}


def test_details_of_the_audit_log_are_in_chinese(alice: User, now: datetime) -> None:
    decide(make_reviewer("mei"), picture_of(alice, now), "approved", now)

    page = signed_in(User.objects.create_superuser("root")).get("/admin/generation/auditentry/")

    assert "决定：已通过" in page.text


def test_pages_of_deletion_are_in_chinese() -> None:
    root = User.objects.create_superuser("root")
    group = Group.objects.create(name="组")
    group.permissions.set(Permission.objects.filter(codename__endswith="_generationtask"))
    root.groups.add(group)
    root.user_permissions.set(group.permissions.all())
    client = signed_in(root)

    for row in (group, root):
        path = reverse(f"admin:auth_{row._meta.model_name}_delete", args=[row.pk])
        page = client.get(path)
        assert "权限: " in page.text
        assert english_in(page.text) == set()

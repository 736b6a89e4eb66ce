"""The weight of pages before compression."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import SessionBase
from django.shortcuts import render
from django.templatetags.static import static
from django.test import RequestFactory
from django.utils import translation

from generation.models import Worker
from generation.views.pages import studio_context
from tests.conftest import serve_model
from tests.page_budgets import OWN_BYTES, STUDIO_BYTES, THIRTY_CARDS_BYTES
from tests.pages.busy_task_list import BusyTaskList
from tests.pages.page_clients import signed_in, state_in

pytestmark = pytest.mark.django_db

AT_WORK = ("studio/js/ui/tab-status.js",)
"""Loaded on demand as soon as a task is at work."""


def cards_in(html: str) -> list[str]:
    body = re.sub(r"<template.*?</template>", "", html, flags=re.DOTALL)
    return re.findall(r'<article class="card".*?</article>', body, flags=re.DOTALL)


def served(address: str) -> Path:
    return Path(settings.STATIC_ROOT, address.removeprefix(settings.STATIC_URL)).resolve()


def loaded_at_once(html: str) -> set[Path]:
    """The style sheets and scripts that a page names, and what these modules import.

    A disabled sheet is fetched only if a script enables it, one in `noscript` without scripts.
    """
    html = re.sub(r"<noscript>.*?</noscript>|<link[^>]* disabled>", "", html, flags=re.DOTALL)
    return with_imports(
        {served(url) for url in re.findall(r'(?:href|src)="([^"]+\.(?:css|js))"', html)}
    )


def with_imports(ahead: set[Path]) -> set[Path]:
    """The files and everything that they import statically."""
    found: set[Path] = set()
    while ahead:
        path = ahead.pop()
        found.add(path)
        if path.suffix == ".js":
            names = re.findall(r'\bfrom ?"(\.[^"]+)"', path.read_text())
            ahead |= {(path.parent / name).resolve() for name in names} - found
    return found


def test_the_studio_loads_few_files(alice: User, worker: Worker, now: datetime) -> None:
    BusyTaskList(alice, worker, now).submit()

    files = loaded_at_once(signed_in(alice).get("/").text)

    names = {path.name.split(".")[0] for path in files}
    assert {"card", "composer", "studio", "theme"} <= names
    assert len([path for path in files if path.suffix == ".js"]) < 11
    rare = {
        *("viewer", "alerts", "first-run", "dialog", "actions", "task-timeline", "fallback"),
        "forced-colors",
    }
    assert not names & (rare | {"queue-fold", "older-tasks", "past-steps"})
    files |= with_imports({served(static(name)) for name in AT_WORK})
    assert sum(path.stat().st_size for path in files) < OWN_BYTES


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_thirty_cards_are_small(alice: User, worker: Worker, now: datetime, language: str) -> None:
    serve_model(now=now, slots=2)
    BusyTaskList(alice, worker, now).fill()

    page = signed_in(alice, language).get("/")

    assert len(state_in(page.text)["tasks"]) == 30
    assert len(page.content) < STUDIO_BYTES


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_thirty_cards_in_the_html_are_small(
    alice: User, worker: Worker, now: datetime, language: str
) -> None:
    serve_model(now=now, slots=2)
    BusyTaskList(alice, worker, now).fill_mixed()
    request = RequestFactory().get("/")
    request.user, request.session = alice, SessionBase()

    with translation.override(language):
        html = render(request, "studio/studio.html", studio_context(request, most=30)).text

    statuses = [re.search(r'data-status="(\w+)"', card) for card in cards_in(html)]
    shown = Counter(found[1] for found in statuses if found)
    assert shown == {"running": 2, "queued": 3, "completed": 18, "failed": 4, "cancelled": 3}
    assert len(html.encode()) < THIRTY_CARDS_BYTES


def test_folded_cards_are_not_painted(alice: User, worker: Worker, now: datetime) -> None:
    serve_model(now=now, slots=2)
    BusyTaskList(alice, worker, now).fill()

    html = signed_in(alice).get("/").text

    statuses = [re.search(r'data-status="(\w+)"', card) for card in cards_in(html)]
    shown = [found[1] for found in statuses if found]
    assert shown == ["running"] * 2 + ["cancelled", "failed", "completed", "failed"]
    assert html.index('id="queue"') < html.index('data-status="cancelled"')


def test_a_short_queue_is_in_the_first_paint(alice: User, worker: Worker, now: datetime) -> None:
    task_list = BusyTaskList(alice, worker, now)
    task_list.submit()
    task_list.submit()

    html = signed_in(alice).get("/").text

    assert len(cards_in(html)) == 2
    assert 'id="queue" hidden' in html
    assert html.index('id="queue"') < html.index("<article")

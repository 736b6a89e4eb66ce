"""Workers, by their rows."""

from __future__ import annotations

from django.conf import settings

from generation import selectors
from generation.clock import clock
from generation.management.doctor.answers import Answer, Section, no, skipped, yes


def is_a_worker_alive() -> Answer:
    question = "Is a worker alive, and not paused?"
    clock.synchronise()
    now = clock.now()
    count = selectors.live_workers(now)
    if count:
        return yes(question, f"{count} run")
    if selectors.is_paused(now):
        return no(question, "all are paused", hint="manage.py resume", see=Section.PAUSED)
    hint = "start one: manage.py run_worker, or systemctl start liujuan-worker@1"
    return no(question, "none has sent a heartbeat for 15 s", hint=hint, see=Section.WATCH)


def have_workers_this_version() -> Answer:
    question = "Do all workers run this version?"
    versions = selectors.versions_of_workers(clock.now())
    if not versions:
        return skipped(question, "no worker is alive")
    if versions != [settings.VERSION]:
        found = f"{settings.VERSION} here, and {', '.join(versions)} there"
        hint = "restart the workers of the older version"
        return no(question, found, hint=hint, see=Section.UPGRADE)
    return yes(question, settings.VERSION)


QUESTIONS = (is_a_worker_alive, have_workers_this_version)

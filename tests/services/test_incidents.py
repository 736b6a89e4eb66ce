"""Incidents: one per cause and time, one message per channel and change, by one process."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from generation import services
from generation.choices import AlarmKind, AlertChannel
from generation.models import Incident, IncidentNotice
from generation.services import Alarm
from generation.services.incidents import CLEAR_AFTER, GIVE_UP_AFTER, INCIDENTS_KEPT, LEASE
from tests.concurrency import at_once

pytestmark = pytest.mark.django_db(transaction=True)

DOWN = Alarm(kind=AlarmKind.MODEL_DOWN, subject="m", detail="gone", hold=timedelta(minutes=5))
MINUTE = timedelta(minutes=1)
BOTH = (AlertChannel.WEBHOOK, AlertChannel.MAIL)


def look(now: datetime, *alarms: Alarm, unknown: frozenset[AlarmKind] = frozenset()) -> None:
    services.record_alarms(alarms=alarms, unknown=unknown, channels=BOTH, now=now)


def notices() -> list[tuple[str, bool]]:
    return list(IncidentNotice.objects.order_by("pk").values_list("channel", "is_clear"))


def test_a_cause_that_lasts_is_one_incident_with_one_message_per_channel(now: datetime) -> None:
    for minute in range(8):
        look(now + minute * MINUTE, DOWN)
        assert bool(notices()) is (minute >= 5)

    assert Incident.objects.get().opened_at == now + 5 * MINUTE
    assert notices() == [("webhook", False), ("mail", False)]


def test_a_cause_that_ends_early_leaves_nothing(now: datetime) -> None:
    look(now, DOWN)
    look(now + MINUTE)

    assert not Incident.objects.exists()


def test_the_all_clear_comes_once_and_not_between_two_flaps(now: datetime) -> None:
    look(now, DOWN)
    look(now + 5 * MINUTE, DOWN)
    for second in (0, 30, 60):
        # it comes back within a minute each time
        look(now + 6 * MINUTE + timedelta(seconds=second))
        look(now + 6 * MINUTE + timedelta(seconds=second + 20), DOWN)
    assert len(notices()) == 2

    gone = now + 9 * MINUTE
    for second in (0, 30, 60, 90):
        look(gone + timedelta(seconds=second))

    incident = Incident.objects.get()
    assert (incident.clear_since, incident.closed_at) == (gone, gone + CLEAR_AFTER)
    assert notices()[2:] == [("webhook", True), ("mail", True)]
    look(now + 60 * MINUTE, DOWN)
    look(now + 65 * MINUTE, DOWN)
    assert Incident.objects.count() == 2


def test_what_is_unknown_neither_begins_nor_ends(now: datetime) -> None:
    look(now, DOWN)
    look(now + 5 * MINUTE, DOWN)
    unknown = frozenset({AlarmKind.MODEL_DOWN})

    look(now + 10 * MINUTE, unknown=unknown)
    look(now + 20 * MINUTE, unknown=unknown)

    assert Incident.objects.get().closed_at is None
    assert len(notices()) == 2


def test_two_models_are_two_incidents(now: datetime) -> None:
    look(now, Alarm(kind=AlarmKind.MODEL_DOWN, subject="a"))
    look(now, *(Alarm(kind=AlarmKind.MODEL_DOWN, subject=name) for name in "ab"))

    assert Incident.objects.count() == 2
    assert len(notices()) == 4


def test_of_many_processes_one_looks_at_a_time(now: datetime) -> None:
    turns = at_once(*[partial(services.take_turn, now=now)] * 4)
    early = services.take_turn(now=now + timedelta(seconds=9))
    next_turns = at_once(*[partial(services.take_turn, now=now + timedelta(seconds=10))] * 4)

    assert sum(turns) == 1
    assert not early
    assert sum(next_turns) == 1


def test_a_clock_that_was_ahead_silences_no_alarm(now: datetime) -> None:
    assert services.take_turn(now=now + timedelta(days=30))

    assert services.take_turn(now=now)
    assert not services.take_turn(now=now)


def test_of_many_processes_one_opens_and_one_sends(now: datetime) -> None:
    at_once(*[partial(look, now, Alarm(kind=AlarmKind.DISK_FULL))] * 4)
    claimed = at_once(*[partial(services.claim_notices, channels=BOTH, now=now)] * 4)

    assert Incident.objects.count() == 1
    assert sorted(each.channel for group in claimed for each in group) == ["mail", "webhook"]


def test_models_that_go_down_together_are_one_message(now: datetime) -> None:
    first = [Alarm(kind=AlarmKind.MODEL_DOWN, subject=name) for name in "abc"]
    look(now, *first, Alarm(kind=AlarmKind.DISK_FULL))
    look(now + MINUTE, *first, Alarm(kind=AlarmKind.MODEL_DOWN, subject="later"))
    claim = partial(services.claim_notices, channels=[AlertChannel.MAIL], now=now + MINUTE)

    groups = [claim() for _number in range(4)]

    subjects = [[each.incident.subject for each in group] for group in groups]
    assert subjects == [["a", "b", "c"], [""], ["later"], []]
    services.record_notices(groups[0], delivered=True, outcome="", now=now + MINUTE)
    assert IncidentNotice.objects.filter(sent_at=now + MINUTE).count() == 3


def test_of_many_processes_one_sends_what_goes_together(now: datetime) -> None:
    look(now, *(Alarm(kind=AlarmKind.MODEL_DOWN, subject=name) for name in "abc"))
    claim = partial(services.claim_notices, channels=[AlertChannel.MAIL], now=now)

    assert sorted(map(len, at_once(*[claim] * 4))) == [0, 0, 0, 3]


def test_only_the_message_that_is_sent_now_is_leased(now: datetime) -> None:
    """Those after it would lose their leases while a slow channel delays it."""
    alarms = [Alarm(kind=AlarmKind.MODEL_DOWN, subject=name) for name in "abcdefgh"]
    for count in range(8):
        look(now + timedelta(seconds=count), *alarms[: count + 1])

    for _each in range(8):
        now += LEASE / 4
        (leased,) = services.claim_notices(channels=[AlertChannel.MAIL], now=now)
        assert leased.due_at == now + LEASE
        services.record_notices([leased], delivered=True, outcome="", now=now + LEASE / 4)

    sent = IncidentNotice.objects.filter(channel="mail", sent_at__isnull=False)
    assert sent.filter(tries=1).count() == 8


def test_a_message_that_failed_is_sent_again_and_given_up_after_a_day(now: datetime) -> None:
    look(now, Alarm(kind=AlarmKind.DISK_FULL))
    moment, tries = now, 0
    while notices := services.claim_notices(channels=[AlertChannel.MAIL], now=moment):
        (sent,) = notices
        tries += 1
        services.record_notices(notices, delivered=False, outcome="no", now=moment)
        sent.refresh_from_db()
        moment = sent.due_at or now + 2 * GIVE_UP_AFTER

    assert 10 < tries < 100
    assert (sent.due_at, sent.sent_at, sent.tries) == (None, None, tries)
    assert IncidentNotice.objects.get(channel="webhook").due_at == now


def test_a_process_that_dies_while_it_sends_is_followed_by_another(now: datetime) -> None:
    look(now, Alarm(kind=AlarmKind.DISK_FULL))
    claim = partial(services.claim_notices, channels=[AlertChannel.MAIL])

    (first,) = claim(now=now)
    too_early = claim(now=now + LEASE / 2)
    (second,) = claim(now=now + LEASE)
    services.record_notices([second], delivered=True, outcome="", now=now + LEASE)
    # the first one was only slow: what it says no longer counts
    services.record_notices([first], delivered=False, outcome="late", now=now + LEASE)

    second.refresh_from_db()
    assert not too_early
    assert (second.due_at, second.sent_at, second.outcome) == (None, now + LEASE, "")


def test_an_all_clear_waits_for_its_alarm(now: datetime) -> None:
    look(now, Alarm(kind=AlarmKind.DISK_FULL))
    look(now)
    look(now + CLEAR_AFTER)
    claim = partial(services.claim_notices, channels=[AlertChannel.MAIL])

    (alarm,) = claim(now=now + CLEAR_AFTER)
    services.record_notices([alarm], delivered=True, outcome="", now=now + CLEAR_AFTER)
    (clear,) = claim(now=now + CLEAR_AFTER)

    assert (alarm.is_clear, clear.is_clear) == (False, True)


def test_old_incidents_are_deleted_and_open_ones_stay(now: datetime) -> None:
    look(now, Alarm(kind=AlarmKind.DISK_FULL), Alarm(kind=AlarmKind.KEY_REFUSED))
    for late in (timedelta(0), CLEAR_AFTER):
        look(now + late, Alarm(kind=AlarmKind.DISK_FULL))

    services.delete_old_incidents(now=now + CLEAR_AFTER + INCIDENTS_KEPT + MINUTE)

    assert Incident.objects.get().kind == AlarmKind.DISK_FULL

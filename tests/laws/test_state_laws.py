"""The laws of a task's life, tried against every order of calls hypothesis can think of."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.laws.life import Life


@pytest.mark.django_db
def test_every_order_of_calls_keeps_the_laws() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=25,
            stateful_step_count=80,
            deadline=None,
            # shrinking replays hundreds of lives: add Phase.shrink by hand to read a failure
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )

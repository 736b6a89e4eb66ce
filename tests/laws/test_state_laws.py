"""The laws of a task's life under random orders of calls."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.laws.worker_rules import WorkerRules


@pytest.mark.django_db
def test_every_order_of_calls_keeps_the_laws() -> None:
    run_state_machine_as_test(
        WorkerRules,
        settings=settings(
            max_examples=25,
            stateful_step_count=80,
            deadline=None,
            # shrinking replays hundreds of lives: add Phase.shrink by hand to read a failure
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
        ),
    )

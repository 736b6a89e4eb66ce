"""The demo model of whole installations: its speed, and calls that are held, stubborn or slow.

The number of steps chooses the fault, so that a test names it by the fields of its task.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FAST = 100
"""Speed where it does not matter what is painted: 512² takes a tenth of a second of a core."""

HELD_STEPS = 97
HELD = {"do": "hold", "step": 8, "seconds": 600, "match": {"steps": HELD_STEPS}}
"""At work until it is cancelled, without using a core."""

STUBBORN_STEPS = 89
STUBBORN = {"do": "stall", "step": 8, "seconds": 8, "match": {"steps": STUBBORN_STEPS}}
"""A cancel takes some seconds to end the call."""

SLOW_STEPS = 83
SLOW = {"do": "slow", "seconds": 0.06, "match": {"steps": SLOW_STEPS}}
"""Takes some seconds, and next to no computing time."""

SOME_SECONDS: dict[str, Any] = {"size": "256x256", "steps": SLOW_STEPS}
"""Fields of a task that SLOW matches."""


def fault_file(folder: Path, *faults: dict[str, Any]) -> str:
    """The path of a new file for DEMO_FAULTS."""
    file = folder / "faults.json"
    file.write_text(json.dumps(faults))
    return str(file)

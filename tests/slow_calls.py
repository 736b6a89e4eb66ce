"""Calls that take some seconds, and next to no computing time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

SLOW_STEPS = 83
SOME_SECONDS: dict[str, Any] = {"size": "256x256", "steps": SLOW_STEPS}
"""Fields of such a task."""

SLOW = {"do": "slow", "seconds": 0.04, "match": {"steps": SLOW_STEPS}}
"""The fault of the demo model that makes them so."""


def fault_file(folder: Path, *faults: dict[str, Any]) -> str:
    """The path of a new file for DEMO_FAULTS."""
    file = folder / "faults.json"
    file.write_text(json.dumps(faults))
    return str(file)

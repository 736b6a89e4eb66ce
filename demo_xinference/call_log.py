"""Records begin and end of calls, and aborts, a JSON line each, so that tests can count them."""

from __future__ import annotations

import json
import time
from pathlib import Path


class CallLog:
    """Appends to `path`; without a path it writes nothing.

    {"at": Unix seconds, "what": "start" | "came" | "left" | "refused" | "abort", "id": request id
    or null}; `left` when the work is over, even if the request ended before; `refused` instead of
    both if a scripted status took the place of the work.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.write("start", None)

    def write(self, what: str, request_id: str | None) -> None:
        if self._path is not None:
            line = json.dumps({"at": time.time(), "what": what, "id": request_id})
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

"""What our logs leave out."""

from __future__ import annotations

import logging


def without_traceback(record: logging.LogRecord) -> bool:
    """Keep the line, and of its exception the name and the sentence alone."""
    if record.exc_info and record.exc_info[1] is not None:
        record.msg, record.args = f"{record.getMessage()}: {record.exc_info[1]!r}", ()
        record.exc_info = None
    return True

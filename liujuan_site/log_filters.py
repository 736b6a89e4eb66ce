"""Formatter and filters of all log lines.

Messages and exceptions contain text of model servers, clients and drivers. It is escaped, so that
it cannot end a line, send terminal escapes or hide text; secrets are replaced; length is bounded.
The settings import this module, so it must not need Django.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import traceback
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from math import isfinite
from time import monotonic
from types import TracebackType
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from accounts.log_context import log_values
from accounts.log_format import LogLine, format_pairs, longest_of
from generation import outages

MAX_MESSAGE = 4_000
SUSPICIOUS_REQUESTS = "django.security."
"""Loggers for requests that Django refuses: clients can cause many, so their lines are short and
have no traceback."""

MAX_CLIENT_MESSAGE = 300
MAX_TRACEBACK = 12_000
MIN_SECRET = 6
"""Characters; a shorter secret would also match parts of ordinary words."""

UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # order, invisible
    "\u2028\u2029\ud800-\udfff\U000e0000-\U000e007f]"  # line ends, half characters, tags
)
FRAME = re.compile(r'[\s|+-]*File "')
URL_CREDENTIALS = re.compile(r"""(?<=://)[^\s"'<>]*@""")
AUTHORIZATION = re.compile(r"(?i)\b(bearer|basic|digest|negotiate)(\s+)[\w.~+/=-]{6,}")
MODEL_KEY = re.compile(r"\b(?:xf|sk)-[\w-]{8,}")
FAILING_ROW = re.compile(r"Failing row contains \(.*", re.DOTALL)
"""PostgreSQL quotes the whole row, which includes prompts."""

Exception3 = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, ...]


class SafeFormatter(logging.Formatter):
    """Writes one line per record; a traceback follows indented, each message on one line.

    Values of the context that the message does not have itself are appended to it.
    """

    def __init__(self, fmt: str = "%(message)s", *, secrets: Iterable[str] = ()) -> None:
        super().__init__(fmt)
        self.secrets = sorted(set(secrets), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """Format a copy of the record, which other handlers and tests read too."""
        safe = logging.makeLogRecord(record.__dict__)
        message = self.safe(message_of(record), longest_message(record))
        pairs = self.safe(format_pairs(added_values(record)), MAX_MESSAGE)
        safe.msg, safe.args = f"{message} {pairs}" if pairs else message, None
        safe.exc_text = None
        if is_of_client(record):
            safe.exc_info = None
        return super().format(safe)

    def formatException(self, ei: Exception3) -> str:
        return self.indented(traceback.format_exception(*ei))

    def formatStack(self, stack_info: str) -> str:
        return self.indented([stack_info])

    def indented(self, parts: Iterable[str]) -> str:
        lines = [line for part in parts for line in self.lines_of(part)]
        text = "\n".join(f"    {line}" for line in lines)
        return cut(text, MAX_TRACEBACK)

    def lines_of(self, part: str) -> list[str]:
        """Escaped lines of a traceback part: a stack frame keeps its lines, a message gets one."""
        part = part.strip("\n")
        lines = part.split("\n") if FRAME.match(part) else [part]
        return [self.safe(line, MAX_MESSAGE) for line in lines]

    def safe(self, text: str, longest: int) -> str:
        # the first cut bounds the time of the regular expressions; it leaves a margin of four
        text = cut(text, 4 * longest)
        return cut(UNSAFE.sub(escaped, self.without_secrets(text)), longest)

    def without_secrets(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, "…")
        text = URL_CREDENTIALS.sub("…@", text)
        text = AUTHORIZATION.sub(r"\1\2…", text)
        text = MODEL_KEY.sub("…", text)
        return FAILING_ROW.sub("Failing row contains (…)", text)


class JsonFormatter(SafeFormatter):
    """Writes each record as one JSON object on one line, with its values as fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = line_of(record)
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.safe(message_of(record), longest_message(record)),
        }
        if line is not None:
            fields["event"] = line.event
        for name, value in {**(line.values if line else {}), **added_values(record)}.items():
            fields.setdefault(name, self.field(name, value))
        if record.exc_info and not is_of_client(record):
            fields["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            fields["stack"] = self.formatStack(record.stack_info)
        return json.dumps(fields, ensure_ascii=False)

    def field(self, name: str, value: object) -> object:
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float):
            # JSON has no NaN and no infinity
            return round(value, 3) if isfinite(value) else None
        return self.safe(str(value), longest_of(name))


def is_of_client(record: logging.LogRecord) -> bool:
    return record.name.startswith(SUSPICIOUS_REQUESTS)


def longest_message(record: logging.LogRecord) -> int:
    return MAX_CLIENT_MESSAGE if is_of_client(record) else MAX_MESSAGE


def line_of(record: logging.LogRecord) -> LogLine | None:
    """The line that is the record's whole message; None for messages of libraries."""
    args = record.args
    if record.msg != "%s" or not isinstance(args, tuple) or len(args) != 1:
        return None
    return args[0] if isinstance(args[0], LogLine) else None


def added_values(record: logging.LogRecord) -> Mapping[str, object]:
    """The values of the context that the line does not have itself."""
    line = line_of(record)
    known = line.values if line else {}
    return {name: value for name, value in log_values().items() if name not in known}


def message_of(record: logging.LogRecord) -> str:
    """The record's message; if formatting fails, its parts, so that no line is lost."""
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001  an argument's own __str__ may raise anything
        return f"{record.msg!r} {record.args!r}: {error!r}"


def escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    named = {9: r"\t", 10: r"\n", 13: r"\r"}.get(code)
    if named:
        return named
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def cut(text: str, longest: int) -> str:
    """`text`, or its beginning and end if it is too long; a traceback has its cause at the end."""
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]} …({len(text) - 2 * half} characters)… {text[-half:]}"


def secrets_of(*values: str) -> tuple[str, ...]:
    """Secrets to replace in log lines: keys and passwords in URLs, plain and percent-encoded."""
    forms = set()
    for value in values:
        secrets = passwords_of(value) if "://" in value else {value}
        for secret in secrets:
            forms |= {secret, unquote(secret), quote(secret, safe="")}
    return tuple(form for form in forms if len(form) >= MIN_SECRET)


def passwords_of(url: str) -> set[str]:
    """Passwords in a URL: before the host, and among the options after `?`."""
    try:
        parts = urlsplit(url)
        options = parse_qsl(parts.query)
    except ValueError:
        return set()
    return {parts.password or "", *(value for name, value in options if "password" in name)}


class RepeatFilter(logging.Filter):
    """Passes equal messages of a library once a minute, with the number of repetitions.

    Loggers of the studio are exempt: none of their lines is a repetition.
    """

    OURS = ("generation", "liujuan")
    MAX_KEYS = 256
    VARIES = re.compile(r"0x[0-9a-fA-F]+|\d+")

    def __init__(self, *, seconds: float = 60.0) -> None:
        super().__init__()
        self.seconds = seconds
        self.seen: OrderedDict[tuple[str, int, str], tuple[float, int]] = OrderedDict()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith(self.OURS):
            return True
        key = record.name, record.levelno, self.VARIES.sub("#", message_of(record))[:400]
        since, count = self.seen.get(key, (0.0, 0))
        if since and monotonic() - since < self.seconds:
            self.seen[key] = since, count + 1
            return False
        if count:
            record.msg, record.args = f"{message_of(record)} (repeated {count} times)", None
        self.seen[key] = monotonic(), 0
        self.seen.move_to_end(key)
        while len(self.seen) > self.MAX_KEYS:
            self.seen.popitem(last=False)
        return True


POOL_OUTAGE = re.compile(r"error connecting|reconnection attempt|discarding (closed|broken)")


def report_database(record: logging.LogRecord) -> bool:
    """Drop the pool's lines about a lost server; `outages.database` logs each outage once."""
    text = message_of(record)
    if not POOL_OUTAGE.match(text):
        return True
    if text.startswith("error connecting"):
        outages.database.failed(text.partition("\n")[0])
    return False


def report_layer(record: logging.LogRecord) -> bool:
    """The same for the channel layer. CancelledError is no outage: a stopping process causes it."""
    error = record.exc_info[1] if record.exc_info else None
    if not isinstance(error, asyncio.CancelledError):
        outages.layer.failed(error or message_of(record))
    return False

"""Counters and histograms of this process, which `/metrics` shows (docs/operations.md#metrics).

Labels have few values: names from this code, and models up to MAX_MODEL_LABELS. Never users, ids
or prompts.
"""

from __future__ import annotations

from threading import Lock

from prometheus_client import Counter, Histogram, disable_created_metrics

# a second series per counter, which no rule or dashboard reads
disable_created_metrics()  # type: ignore[no-untyped-call]

MAX_MODEL_LABELS = 50
"""Models with series of their own; a server may name others each time."""

OTHER_MODELS = "(other)"

SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
LONG = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds: what a computer waits for, and what users wait for."""

EVENT_DELIVERY = Histogram(
    "liujuan_event_delivery_seconds",
    "From the commit of an event until this process passed it to its sockets and streams",
    buckets=SHORT,
)
ATTACH = Histogram(
    "liujuan_attach_seconds",
    "From the request to follow a task until `live` was queued; reattach: with a cursor",
    ["transport", "kind"],
    buckets=SHORT,
)
EVENT_GAPS = Counter(
    "liujuan_event_gaps",
    "Gaps in what a client had received that were closed from the log",
    ["found_by"],
)
OUTBOX_OVERFLOWS = Counter(
    "liujuan_outbox_overflows", "Events that found an outbox full and were read from the log later"
)
BROADCASTS_DROPPED = Counter(
    "liujuan_broadcasts_dropped",
    "Messages to other processes for which the queue had no room",
)
SLOW_READERS_CLOSED = Counter(
    "liujuan_slow_readers_closed",
    "Connections closed because the client did not read",
    ["transport"],
)
ERRORS = Counter(
    "liujuan_errors",
    "Failures of a part that this process needs, or of a loop of it",
    ["service"],
)
LIMITS_REFUSED = Counter(
    "liujuan_limits_refused", "Requests that a limit of a user refused", ["limit"]
)
TASKS_ENDED = Counter(
    "liujuan_tasks_ended", "Tasks that this process ended", ["status", "code", "model"]
)
ATTEMPTS_INTERRUPTED = Counter(
    "liujuan_attempts_interrupted", "Attempts that ended while their task continues", ["reason"]
)
TASK_WAIT = Histogram(
    "liujuan_task_wait_seconds", "Time of an ended task in the queue", ["model"], buckets=LONG
)
TASK_RUN = Histogram(
    "liujuan_task_run_seconds", "Time of an ended task in its attempts", ["model"], buckets=LONG
)
STEP = Histogram(
    "liujuan_step_seconds", "Measured time of a step of a completed task", ["step"], buckets=LONG
)
CLAIM = Histogram(
    "liujuan_claim_seconds", "Transactions in which this worker claimed tasks", buckets=SHORT
)
WEBHOOK_DELIVERIES = Counter(
    "liujuan_webhook_deliveries", "Requests to webhooks of users", ["outcome"]
)
ALERT_NOTICES = Counter(
    "liujuan_alert_notices", "Messages to operators about incidents", ["channel", "outcome"]
)

for _service in ("database", "layer"):
    # known from the start, so that the first failure is an increase
    ERRORS.labels(_service)

_models: set[str] = set()
_models_lock = Lock()


def model_label(name: str) -> str:
    """The name, or OTHER_MODELS once this process has named MAX_MODEL_LABELS others."""
    with _models_lock:
        if name not in _models and len(_models) >= MAX_MODEL_LABELS:
            return OTHER_MODELS
        _models.add(name)
        return name

"""Statuses, steps, event kinds and reasons, each with its label."""

from __future__ import annotations

from enum import StrEnum, auto

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class TaskStatus(models.TextChoices):
    QUEUED = "queued", pgettext_lazy("task status", "Queued")
    """Accepted; not claimed yet, or handed back."""
    RUNNING = "running", pgettext_lazy("task status", "Running")
    """A worker holds a slot for it."""
    COMPLETED = "completed", pgettext_lazy("task status", "Done")
    """Every picture is stored."""
    FAILED = "failed", pgettext_lazy("task status", "Failed")
    """It ended without all its pictures; `error_code` says why."""
    CANCELLED = "cancelled", pgettext_lazy("task status", "Cancelled")
    """Requested by a user, and no machine works on it any more."""


TERMINAL = frozenset({TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.CANCELLED})
UNFINISHED = frozenset({TaskStatus.QUEUED, TaskStatus.RUNNING})


class Step(models.TextChoices):
    """The seven steps, in order."""

    PARSING = "parsing", _("Parsing the prompt")
    LOADING = "loading", _("Loading model weights")
    PREPARING = "preparing", _("Setting up parameters")
    GENERATING = "generating", _("Generating latents")
    DECODING = "decoding", _("Decoding the picture")
    FINISHING = "finishing", _("Finishing the file")
    COMPLETED = "completed", _("Done and stored")


class EventKind(models.TextChoices):
    """Kinds of log entries; each names something that happened."""

    SUBMITTED = "submitted", _("Submitted and stored")
    CLAIMED = "claimed", _("Claimed by a worker")
    STEP_BEGAN = "step_began", _("Step began")
    PROGRESSED = "progressed", _("Progress measured")
    IMAGE_STORED = "image_stored", _("Picture stored")
    DELAYED = "delayed", _("The model server asked us to wait")
    CANCEL_REQUESTED = "cancel_requested", _("Cancellation requested")
    INTERRUPTED = "interrupted", _("Attempt interrupted; back in the queue")
    COMPLETED = "completed", _("Completed")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class WebhookOutcome(models.TextChoices):
    """What became of one message to a webhook."""

    DELIVERED = "delivered", _("Delivered")
    REFUSED = "refused", _("The receiver refused it")
    """Another status than 2xx and 3xx."""
    REDIRECTED = "redirected", _("The receiver redirects; redirects are not followed")
    TIMED_OUT = "timed_out", _("No answer within 10 seconds")
    NO_ADDRESS = "no_address", _("The host has no public address")
    TLS_FAILED = "tls_failed", _("The receiver's certificate cannot be trusted")
    UNREACHABLE = "unreachable", _("The receiver cannot be reached")
    UNSIGNED = "unsigned", _("The secret can no longer be read; create the webhook again")
    """No key of the settings has encrypted it."""
    TASK_DELETED = "task_deleted", _("The task was deleted before")


class AlarmKind(models.TextChoices):
    """What operators are alarmed about."""

    NO_WORKER = "no_worker", _("No worker is running")
    MODEL_DOWN = "model_down", _("A model cannot be used")
    KEY_REFUSED = "key_refused", _("The model server refused our key")
    DISK_FULL = "disk_full", _("The disk for pictures is nearly full")
    OLDEST_WAIT = "oldest_wait", _("Tasks wait too long")
    FAILURE_RATE = "failure_rate", _("Too many tasks fail")


class AlertChannel(models.TextChoices):
    """How operators get messages about incidents."""

    WEBHOOK = "webhook", "ALERT_URL"
    MAIL = "mail", "ADMINS"


class CancelReason(StrEnum):
    """Why a cancellation was requested; absent if a user did it."""

    TIME_LIMIT = auto()
    """The submission set a time after which the task is cancelled."""


class Basis(models.TextChoices):
    """Source of a percentage or a remaining time."""

    MEASURED = "measured", _("measured")
    ESTIMATED = "estimated", _("estimate")


class Route(models.TextChoices):
    """Which of Xinference's two generation URLs a model is called at."""

    TXT2IMG = "txt2img", "/sdapi/v1/txt2img"
    """Diffusers engine: an abort stops the GPU within one denoising step."""
    GENERATIONS = "generations", "/v1/images/generations"
    """Other engines: never abort a running call, it breaks the next one."""


class WorkerState(models.TextChoices):
    RUNNING = "running", _("running")
    DRAINING = "draining", _("finishing its last tasks")
    PAUSED = "paused", _("paused")
    STOPPED = "stopped", _("stopped")


class Resolution(models.TextChoices):
    """Length of the periods for which figures are kept."""

    MINUTE = "minute", _("minute")
    HOUR = "hour", _("hour")


class WorkerCondition(models.TextChoices):
    """What operators see of a worker."""

    RUNNING = "running", _("running")
    DRAINING = "draining", _("stopping")
    """Its process is about to end."""
    DRAINED = "drained", _("drained")
    """An operator keeps it from claiming tasks."""
    PAUSED = "paused", _("paused")
    GONE = "gone", _("lost")
    """It sends no heartbeats."""


class ServerCondition(models.TextChoices):
    """What operators see of a model server; the first one that applies."""

    DISABLED = "disabled", _("disabled")
    DRAINED = "drained", _("drained")
    """It gets no more calls."""
    UNUSABLE = "unusable", _("not usable")
    RESTING = "resting", _("resting")
    """It failed too often lately, and gets no calls for a while."""
    UNCHECKED = "unchecked", _("not checked yet")
    READY = "ready", _("ready")


class QueueReason(models.TextChoices):
    """Why a queued task has not begun."""

    IN_LINE = "in_line", _("Other tasks are ahead of it")
    MODEL_LOADING = "model_loading", _("The model is still loading")
    MODEL_DOWN = "model_down", _("The model server cannot be reached")
    NO_WORKER = "no_worker", _("No worker is running")
    KEY_REFUSED = "key_refused", _("The model server refused our key")
    PAUSED = "paused", _("Paused by the operator")


class InterruptReason(models.TextChoices):
    """Why an attempt ended while its task continues."""

    LEASE_EXPIRED = "lease_expired", _("The worker stopped responding")
    MODEL_LOST = "model_lost", _("The model process died")
    MODEL_ERROR = "model_error", _("The model failed")
    OUT_OF_MEMORY = "out_of_memory", _("The model ran out of memory")
    STALLED = "stalled", _("The model made no progress")
    HANDED_BACK = "handed_back", _("The task was returned to the queue")
    MODEL_DOWN = "model_down", _("The model server could not be reached")
    KEY_REFUSED = "key_refused", _("The model server refused our key")
    CALL_ABORTED = "call_aborted", _("The call was stopped on the model server")


COUNTED_INTERRUPTIONS = frozenset(
    {
        InterruptReason.LEASE_EXPIRED,
        InterruptReason.MODEL_LOST,
        InterruptReason.MODEL_ERROR,
        InterruptReason.OUT_OF_MEMORY,
        InterruptReason.STALLED,
    }
)
"""Only these count as failed attempts: the others say nothing about the task."""


class DelayReason(models.TextChoices):
    """Why a call was delayed while its slot was kept."""

    MODEL_BUSY = "model_busy", _("The model server is at capacity")
    MODEL_LOADING = "model_loading", _("The model is still loading")


class LimitKind(models.TextChoices):
    """What a user may have or use; the installation's limits are settings."""

    UNFINISHED = "unfinished", _("unfinished tasks")
    PICTURES = "pictures", _("pictures per day")
    EFFORT = "effort", _("drawing effort per day")
    """Pixels × steps × pictures."""
    TASK_EFFORT = "task_effort", _("drawing effort per task")
    SUBMISSIONS = "submissions", _("submissions per minute")
    STORAGE = "storage", _("storage in bytes")
    """Stored pictures without thumbnails; the trash counts until it is emptied."""
    CONNECTIONS = "connections", _("sockets and event streams per web process")
    REQUESTS = "requests", _("API requests per minute")


class ReviewState(models.TextChoices):
    """What staff decided about a picture."""

    UNREVIEWED = "unreviewed", _("Not reviewed")
    APPROVED = "approved", _("Approved")
    FLAGGED = "flagged", _("Flagged")
    """A second reviewer has to decide."""
    HIDDEN = "hidden", _("Hidden")


class WordAction(models.TextChoices):
    """What a word in a prompt causes."""

    HOLD = "hold", _("Hold back until approved")
    FLAG = "flag", _("Flag")
    REFUSE = "refuse", _("Refuse the task")


class AuditAction(models.TextChoices):
    """What staff can do to tasks of users and to the installation."""

    REVIEWED = "reviewed", _("Reviewed a picture")
    CANCELLED = "cancelled", _("Cancelled a task")
    RETRIED = "retried", _("Retried a task")
    HANDED_BACK = "handed_back", _("Returned a task to the queue")
    EXPORTED = "exported", _("Exported tasks")
    AUDIT_EXPORTED = "audit_exported", _("Exported the audit log")
    WORD_RULE_CHANGED = "word_rule_changed", _("Changed a word rule")
    PAUSED = "paused", _("Paused drawing")
    RESUMED = "resumed", _("Resumed drawing")
    WORKER_DRAINED = "worker_drained", _("Drained a worker")
    WORKER_UNDRAINED = "worker_undrained", _("Ended the draining of a worker")
    WORKER_FORGOTTEN = "worker_forgotten", _("Forgot a worker")
    SLOTS_TAKEN_OVER = "slots_taken_over", _("Took over the slots of a worker")
    RETENTION_CHANGED = "retention_changed", _("Changed how long data is kept")
    SERVER_CHANGED = "server_changed", _("Changed a model server")
    SERVER_DRAINED = "server_drained", _("Drained a model server")
    SERVER_UNDRAINED = "server_undrained", _("Ended the draining of a model server")


class RetentionKind(models.TextChoices):
    """What is kept for a number of days; the installation's are settings."""

    PROMPTS = "prompts", _("prompts")
    """Of ended tasks; the task stays, with empty prompts."""
    LOGS = "logs", _("logs")
    """Of ended tasks; the first and last event, and those of stored pictures, stay."""
    PICTURES = "pictures", _("pictures")
    """Those that are no favourites; they are moved to the trash."""
    FAVOURITES = "favourites", _("favourite pictures")
    TRASH = "trash", _("trash")


class KeyUse(StrEnum):
    """Whether our key may be sent to the model server."""

    ALLOWED = auto()
    TRIAL = auto()
    """It was refused; this caller alone may try it again."""
    REFUSED = auto()

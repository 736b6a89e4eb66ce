"""Statuses, steps, event kinds, reasons and error codes, each with its label."""

from __future__ import annotations

from enum import StrEnum, auto

from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from generation import limits


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


class QueueReason(models.TextChoices):
    """Why a queued task has not begun."""

    IN_LINE = "in_line", _("Other tasks are ahead of it")
    MODEL_LOADING = "model_loading", _("The model is still loading")
    MODEL_DOWN = "model_down", _("The model server cannot be reached")
    NO_WORKER = "no_worker", _("No worker is running")
    KEY_REFUSED = "key_refused", _("The model server refused our key")
    PAUSED = "paused", _("The queue is paused")


class InterruptReason(models.TextChoices):
    """Why an attempt ended while its task continues."""

    LEASE_EXPIRED = "lease_expired", _("The worker stopped responding")
    MODEL_LOST = "model_lost", _("The model process died")
    MODEL_ERROR = "model_error", _("The model failed")
    OUT_OF_MEMORY = "out_of_memory", _("The model ran out of memory")
    STALLED = "stalled", _("The model made no progress")
    HANDED_BACK = "handed_back", _("The worker stopped and returned the task to the queue")
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


class KeyUse(StrEnum):
    """Whether our key may be sent to the model server."""

    ALLOWED = auto()
    TRIAL = auto()
    """It was refused; this caller alone may try it again."""
    REFUSED = auto()


class ErrorCode(models.TextChoices):
    """Every error code of pages and programs, with its sentence."""

    PROMPT_EMPTY = "prompt_empty", _("The prompt is empty. Write what the picture should show.")
    PROMPT_TOO_LONG = (
        "prompt_too_long",
        format_lazy(
            _("The prompt is longer than {most} characters. Shorten it and send it again."),
            most=f"{limits.MAX_PROMPT:,}",
        ),
    )
    PROMPT_INVALID = (
        "prompt_invalid",
        _("The prompt contains a character that cannot be stored (NUL). Remove it."),
    )
    SIZE_INVALID = (
        "size_invalid",
        format_lazy(
            _(
                "Width and height must be multiples of {step} between {least} and {most}, "
                "written like 512x512."
            ),
            step=limits.SIDE_MULTIPLE,
            least=limits.MIN_SIDE,
            most=limits.MAX_SIDE,
        ),
    )
    COUNT_INVALID = (
        "count_invalid",
        format_lazy(_("The number of pictures must be from 1 to {most}."), most=limits.MAX_IMAGES),
    )
    STEPS_INVALID = (
        "steps_invalid",
        format_lazy(_("The number of steps must be from 1 to {most}."), most=limits.MAX_STEPS),
    )
    GUIDANCE_INVALID = (
        "guidance_invalid",
        format_lazy(_("Guidance must be a number from 0 to {most}."), most=limits.MAX_GUIDANCE),
    )
    SEED_INVALID = (
        "seed_invalid",
        format_lazy(_("The seed must be a whole number from 0 to {most}."), most=limits.MAX_SEED),
    )
    MODEL_UNKNOWN = "model_unknown", _("This model is not available. Choose one from the list.")
    REQUEST_KEY_INVALID = "request_key_invalid", _("request_key must be a UUID.")
    REQUEST_KEY_REUSED = (
        "request_key_reused",
        _("This request_key already belongs to a different request. Use a new one."),
    )
    NOT_JSON = "not_json", _("The message is not valid JSON.")
    BINARY_FRAME = "binary_frame", _("Binary frames are not supported. Send JSON text.")
    TOO_LONG = (
        "too_long",
        format_lazy(
            _("The message is longer than {most} bytes."), most=f"{limits.MAX_MESSAGE_BYTES:,}"
        ),
    )
    BAD_MESSAGE = "bad_message", _("A field of the message is missing or has the wrong type.")
    UNKNOWN_ACTION = "unknown_action", _("This action does not exist. Check its name.")
    UNKNOWN_FIELD = (
        "unknown_field",
        _("The message has an unknown field. Remove it and send the message again."),
    )
    NOT_FOUND = "not_found", _("There is no such task, or it is not yours.")
    NOT_ALLOWED_NOW = "not_allowed_now", _("The task's state does not allow this now.")
    TOO_MANY_ATTACHED = (
        "too_many_attached",
        format_lazy(
            _("One connection can follow {most} tasks. Detach from some first."),
            most=limits.MAX_ATTACHED,
        ),
    )
    TOO_MANY_WAITING = (
        "too_many_waiting",
        format_lazy(
            _("You have {most} unfinished tasks. Wait until some end, or cancel some."),
            most=limits.MAX_UNFINISHED,
        ),
    )
    TOO_MANY_PICTURES = (
        "too_many_pictures",
        format_lazy(
            _("At most {most} pictures can be selected at once. Select fewer."),
            most=limits.MAX_SELECTED,
        ),
    )
    NOT_SIGNED_IN = "not_signed_in", _("You are signed out. Sign in again, then try again.")
    ACCOUNT_DISABLED = "account_disabled", _("This account is disabled. Contact the operator.")
    FLOODING = "flooding", _("Too many messages at once. Wait a few seconds, then try again.")
    UNAVAILABLE = (
        "unavailable",
        _("The server cannot do this right now. Nothing was lost; try again in a moment."),
    )

    MODEL_DOWN = (
        "model_down",
        _("The model server cannot be reached. Check that it runs, then try again."),
    )
    MODEL_LOADING = "model_loading", _("The model is still loading.")
    MODEL_BUSY = "model_busy", _("The model server is at capacity.")
    KEY_REFUSED = (
        "key_refused",
        _("The model server refused our key. Ask the operator to set a valid one."),
    )
    MODEL_FORBIDDEN = (
        "model_forbidden",
        _("Our key has no access to this model. Choose another model or ask the operator."),
    )
    MODEL_NOT_FOUND = (
        "model_not_found",
        _("The model server does not have this model. Choose another one or ask the operator."),
    )
    REQUEST_REFUSED = (
        "request_refused",
        _("The model refused these settings. Change the size or the steps and try again."),
    )
    PROMPT_REFUSED = (
        "prompt_refused",
        _("The model server refused the prompt. Reword it and try again."),
    )
    SIZE_REFUSED = (
        "size_refused",
        _("The model cannot draw this size. Choose another size and try again."),
    )
    CALL_ABORTED = "call_aborted", _("The call was stopped on the model server. Try again.")
    MODEL_ERROR = (
        "model_error",
        _("The model failed while drawing. Try again, or with a smaller size."),
    )
    OUT_OF_MEMORY = (
        "out_of_memory",
        _(
            "The model ran out of memory. Choose a smaller size and try again; "
            "if that does not help, tell the operator."
        ),
    )
    MODEL_LOST = (
        "model_lost",
        _("The model process died while drawing. It restarts by itself; try again in a minute."),
    )
    STALLED = (
        "stalled",
        _("The model made no progress for too long. Check the model server, then try again."),
    )
    LEASE_EXPIRED = (
        "lease_expired",
        _("The workers on this task stopped responding three times. Try again."),
    )
    BAD_PICTURE = (
        "bad_picture",
        _("The model did not return a complete picture. Check the model server, then try again."),
    )
    PICTURE_TOO_LARGE = (
        "picture_too_large",
        _(
            "The model returned a picture of a different size, so it was not stored. Choose "
            "another size and try again."
        ),
    )
    STORAGE_FAILED = (
        "storage_failed",
        _("The picture could not be written to disk. Ask the operator to free space, then retry."),
    )
    INTERNAL_ERROR = (
        "internal_error",
        _(
            "An error occurred in the studio; its log has the details. Try again, and tell the "
            "operator."
        ),
    )


VIEW_ALL = "generation.view_generationtask"
"""Permission to read the tasks of all users."""

CHANGE_ALL = "generation.change_generationtask"
"""Permission to cancel and retry them too."""

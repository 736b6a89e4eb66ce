"""Error codes, each with its sentence."""

from __future__ import annotations

from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from generation import limits


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
    WORDS_REFUSED = (
        "words_refused",
        _("The prompt contains words that are not accepted here. Change them and send it again."),
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
    CANCEL_AFTER_INVALID = (
        "cancel_after_invalid",
        format_lazy(
            _("Cancel-After must be a whole number of seconds from 1 to {most}."),
            most=f"{limits.MAX_CANCEL_AFTER:,}",
        ),
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
    METHOD_NOT_ALLOWED = (
        "method_not_allowed",
        _("This address does not have this method. See the API's document."),
    )
    NOT_FOUND = "not_found", _("There is no such task, or it is not yours.")
    PICTURE_WITHHELD = (
        "picture_withheld",
        _("This picture is not shown: a reviewer has hidden it, or has not approved it yet."),
    )
    APPEAL_INVALID = (
        "appeal_invalid",
        format_lazy(
            _("An appeal is one sentence of at most {most} characters."), most=limits.MAX_APPEAL
        ),
    )
    ALREADY_APPEALED = (
        "already_appealed",
        _("You have appealed already. The answer will stand where the picture was."),
    )
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
        _("You have too many unfinished tasks. Wait until some end, or cancel some."),
    )
    LIMIT_REACHED = (
        "limit_reached",
        _("A limit of your account is reached. Try again later, or with less."),
    )
    TOO_MANY_PICTURES = (
        "too_many_pictures",
        format_lazy(
            _("At most {most} pictures can be selected at once. Select fewer."),
            most=limits.MAX_SELECTED,
        ),
    )
    WEBHOOK_URL_INVALID = (
        "webhook_url_invalid",
        format_lazy(
            _(
                "A webhook needs an https address of a public server, without a user name, of at "
                "most {most} characters."
            ),
            most=f"{limits.MAX_WEBHOOK_URL:,}",
        ),
    )
    WEBHOOK_EVENTS_INVALID = (
        "webhook_events_invalid",
        _("The list has an event that does not exist. Check the names."),
    )
    WEBHOOK_SECRET_INVALID = (
        "webhook_secret_invalid",
        _("A secret is whsec_ and 24 to 64 bytes in base64. Leave it out, and one is made."),
    )
    TOO_MANY_WEBHOOKS = (
        "too_many_webhooks",
        format_lazy(
            _("An account can have {most} webhooks. Delete one first."), most=limits.MAX_WEBHOOKS
        ),
    )
    REVIEW_CONFLICT = (
        "review_conflict",
        _("A colleague has decided about this picture first. Your decision was not stored."),
    )
    OWN_PICTURE = (
        "own_picture",
        _("You cannot decide about your own picture. A colleague has to do it."),
    )
    SECOND_REVIEWER = (
        "second_reviewer",
        _("You flagged or hid this picture. A colleague decides about it now."),
    )
    REASON_MISSING = (
        "reason_missing",
        _("A picture is hidden with a reason or a note: its owner reads it. Add one."),
    )
    NOTE_INVALID = (
        "note_invalid",
        format_lazy(
            _("A note has at most {most} characters, none of which is NUL."),
            most=limits.MAX_REVIEW_NOTE,
        ),
    )
    UNDO_REFUSED = (
        "undo_refused",
        _("Only your own newest decision about a picture can be undone, within ten minutes."),
    )
    NOT_SIGNED_IN = "not_signed_in", _("You are signed out. Sign in again, then try again.")
    ACCOUNT_DISABLED = "account_disabled", _("This account is disabled. Contact the operator.")
    ACCOUNT_LEAVING = (
        "account_leaving",
        _("Your account is going to be deleted, so nothing new is drawn. Keep it to go on."),
    )
    EXPORT_RUNNING = (
        "export_running",
        _(
            "Your data is being downloaded already. Wait until that download has ended; one that "
            "was broken off ends within a few minutes."
        ),
    )
    LAST_SUPERUSER = (
        "last_superuser",
        _(
            "Without this account the studio would have no administrator. Make another user a "
            "superuser first."
        ),
    )
    SCOPE_MISSING = (
        "scope_missing",
        _("This token may only read. Use one that may change tasks."),
    )
    ORIGIN_REFUSED = (
        "origin_refused",
        _("The page that sent this belongs to another host. Send it from this site or a program."),
    )
    FLOODING = "flooding", _("Too many requests at once. Wait a few seconds, then try again.")
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


NOT_FOR_SCRIPTS = frozenset(
    {
        ErrorCode.PICTURE_WITHHELD,
        ErrorCode.APPEAL_INVALID,
        ErrorCode.ALREADY_APPEALED,
        ErrorCode.CANCEL_AFTER_INVALID,
        ErrorCode.REQUEST_KEY_INVALID,
        ErrorCode.BINARY_FRAME,
        ErrorCode.METHOD_NOT_ALLOWED,
        ErrorCode.WEBHOOK_URL_INVALID,
        ErrorCode.WEBHOOK_EVENTS_INVALID,
        ErrorCode.WEBHOOK_SECRET_INVALID,
        ErrorCode.TOO_MANY_WEBHOOKS,
        ErrorCode.REVIEW_CONFLICT,
        ErrorCode.OWN_PICTURE,
        ErrorCode.SECOND_REVIEWER,
        ErrorCode.REASON_MISSING,
        ErrorCode.NOTE_INVALID,
        ErrorCode.UNDO_REFUSED,
        ErrorCode.EXPORT_RUNNING,
        ErrorCode.LAST_SUPERUSER,
        ErrorCode.SCOPE_MISSING,
        ErrorCode.ORIGIN_REFUSED,
    }
)
"""Codes that scripts of pages do not get, or only by a fault: they have no words for them."""

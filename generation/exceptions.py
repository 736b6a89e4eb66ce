"""Every error of the studio, as one tree.

StudioError                     code
├── InvalidInput                field; input of a user or a program that cannot be used
├── NotFound                    no such task, or not visible to the user (the same error)
├── PictureWithheld             a reviewer has hidden it, or has not approved it yet
├── ScopeMissing                the token of a program may only read
├── AccountLeaving              the user has asked for the deletion of the account
├── LastSuperuser               without this account no one could administer the studio
├── LimitReached                kind, limit, left, renews_at; the user has no room for the task
├── TransitionRefused           the status or the attempt of the task does not allow this
│   └── AlreadyAppealed         one appeal per picture
├── ReviewConflict              state, version, reviewer_name; another decision came first
├── ReviewRefused               the reviewer may not make or undo this decision
├── PictureError                the response is not the requested picture
├── StorageError                a file could not be written
├── WorkerRefused               other workers call another model server
├── DecoderLost                 the decoder process ended, or could not start
├── AttemptEnded                ends a run of a worker; the task may continue elsewhere
│   ├── AttemptInterrupted      reason: why it returns to the queue
│   ├── CancelObserved          a cancel was requested, and the machine is free
│   └── LeaseLost               the worker lost the task: write nothing
└── XinferenceError             detail: the server's message, for the log and staff only
    ├── XinferenceUnreachable   no response; says nothing about the task
    ├── XinferenceKeyRefused    401, or banned for too many of them: stop sending this key
    ├── XinferenceBusy          429 or 503: retry later
    ├── XinferenceAborted       409, or 500 "has been aborted"
    ├── XinferenceRefused       another 4xx: the same request can never succeed
    └── XinferenceFailed        500 or a lost connection: check the model first
        ├── XinferenceUnreadable    a 200 that is too large or encoded
        └── XinferenceDropped       the connection broke: the model may still draw
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from generation.choices import InterruptReason, LimitKind
from generation.error_codes import ErrorCode
from generation.loggable_text import redacted


class StudioError(Exception):
    """An error with a `code` for users and programs, and a `detail` for the log and staff."""

    code: ErrorCode = ErrorCode.INTERNAL_ERROR

    def __init__(self, code: ErrorCode | None = None, *, detail: str = "") -> None:
        if code is not None:
            self.code = code
        super().__init__(self.code.value)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code.value}: {self.detail}" if self.detail else self.code.value


class InvalidInput(StudioError):
    """Input that cannot be used; `field`: where, if known; `data`: what else the client needs.

    `request_key`: of the message, if it could be read.
    """

    code = ErrorCode.BAD_MESSAGE

    def __init__(
        self, code: ErrorCode, field: str | None = None, *, data: dict[str, Any] | None = None
    ) -> None:
        super().__init__(code)
        self.field = field
        self.data = data
        self.request_key: str | None = None


class NotFound(StudioError):
    """Pages need not handle it: `NotFoundMiddleware` turns it into Http404."""

    code = ErrorCode.NOT_FOUND


class PictureWithheld(StudioError):
    """The files of the picture are not served to its owner."""

    code = ErrorCode.PICTURE_WITHHELD


class ScopeMissing(StudioError):
    """The API token may only read."""

    code = ErrorCode.SCOPE_MISSING


class AccountLeaving(StudioError):
    """The account accepts no tasks, because it is going to be deleted."""

    code = ErrorCode.ACCOUNT_LEAVING


class LastSuperuser(StudioError):
    """The account must not be deleted: no other superuser would be left."""

    code = ErrorCode.LAST_SUPERUSER


class LimitReached(StudioError):
    """A limit of the user leaves no room; `renews_at` is None if time alone does not help."""

    code = ErrorCode.LIMIT_REACHED

    def __init__(
        self, kind: LimitKind, *, limit: int, left: int, renews_at: datetime | None
    ) -> None:
        # programs know the older code of this kind
        super().__init__(ErrorCode.TOO_MANY_WAITING if kind == LimitKind.UNFINISHED else None)
        self.kind = kind
        self.limit = limit
        self.left = left
        self.renews_at = renews_at

    @property
    def data(self) -> dict[str, Any]:
        """For the `error` frame; `renews_at` in Unix seconds."""
        renews_at = None if self.renews_at is None else self.renews_at.timestamp()
        return {
            "kind": self.kind.value,
            "limit": self.limit,
            "left": self.left,
            "renews_at": renews_at,
        }


class TransitionRefused(StudioError):
    """The row does not have the status or the attempt that the change requires."""

    code = ErrorCode.NOT_ALLOWED_NOW


class ReviewConflict(StudioError):
    """Another decision came first: `state` by `reviewer_name`, with the number `version`."""

    code = ErrorCode.REVIEW_CONFLICT

    def __init__(self, *, state: str, version: int, reviewer_name: str) -> None:
        super().__init__()
        self.state = state
        self.version = version
        self.reviewer_name = reviewer_name


class ReviewRefused(StudioError):
    """A colleague has to decide about the picture, or the decision cannot be undone."""

    code = ErrorCode.OWN_PICTURE


class AlreadyAppealed(TransitionRefused):
    """The owner has appealed against the hiding of this picture before."""

    code = ErrorCode.ALREADY_APPEALED


class PictureError(StudioError):
    """`detail`: what is wrong with the response."""

    code = ErrorCode.BAD_PICTURE


class StorageError(StudioError):
    """`detail`: the operating system's message."""

    code = ErrorCode.STORAGE_FAILED


class WorkerRefused(StudioError):
    """A worker must not start; the message says what to type."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class DecoderLost(StudioError):
    """The process that decodes pictures ended, or could not begin."""


class AttemptEnded(StudioError):
    """Ends a run of a worker; never reaches a user."""


class AttemptInterrupted(AttemptEnded):
    """`detail`: for the log and staff."""

    def __init__(self, reason: InterruptReason, detail: str = "") -> None:
        super().__init__(detail=detail)
        self.reason = reason


class CancelObserved(AttemptEnded):
    def __str__(self) -> str:
        return "a cancel was requested"


class LeaseLost(AttemptEnded):
    def __str__(self) -> str:
        return "the lease is lost"


class XinferenceError(StudioError):
    """Failure of the model server; `detail`: its raw message, for the row and staff only."""

    def __init__(self, detail: str = "", *, code: ErrorCode | None = None) -> None:
        super().__init__(code, detail=detail)

    @property
    def for_log(self) -> str:
        """The message without the server's words, which may quote a prompt."""
        return f"{self.code.value}: {redacted(self.detail)}" if self.detail else self.code.value


class XinferenceUnreachable(XinferenceError):
    code = ErrorCode.MODEL_DOWN


class XinferenceGone(XinferenceUnreachable):
    """Nothing listens at its address: its process has ended."""


class XinferenceKeyRefused(XinferenceError):
    code = ErrorCode.KEY_REFUSED


class XinferenceBusy(XinferenceError):
    """`retry_after`: seconds that the server requested, or None."""

    code = ErrorCode.MODEL_BUSY

    def __init__(
        self, detail: str = "", *, code: ErrorCode | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class XinferenceAborted(XinferenceError):
    code = ErrorCode.CALL_ABORTED


class XinferenceRefused(XinferenceError):
    code = ErrorCode.REQUEST_REFUSED


class XinferenceFailed(XinferenceError):
    code = ErrorCode.MODEL_ERROR


class XinferenceNotBegun(XinferenceFailed):
    """The call reached no process of the model: another call may reach another one."""


class XinferenceUnreadable(XinferenceFailed):
    """A 200 that is too large or encoded; nothing of it was used."""


class XinferenceDropped(XinferenceFailed):
    """Connection lost, or a proxy timed out: the model may still draw."""


def without_frames(error: BaseException) -> None:
    """Drop the tracebacks of `error` and of its causes.

    A traceback holds frames and their locals: responses, pictures, and tasks that hold the error
    itself, which makes a cycle. Our processes collect cycles rarely, so the references of a
    handled error are dropped here.
    """
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None:
            waiting += [each.__cause__, each.__context__]
            each.__cause__ = each.__context__ = each.__traceback__ = None

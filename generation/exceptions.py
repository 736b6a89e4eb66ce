"""Every error of the studio, as one tree.

StudioError                     code, permanent
├── InvalidInput                field; what a person or program sent cannot be used
├── NotFound                    no such task, or not theirs (the two are told alike)
├── TransitionRefused           the task is not in a state (or attempt) that allows this
├── PictureError                what the model sent is not the picture that was asked for
├── StorageError                a file could not be written
├── WorkerRefused           other workers call another model server
├── DecoderLost                 the process that decodes pictures ended, or could not begin
├── AttemptEnded                a worker's run stops here; the task may go on elsewhere
│   ├── AttemptInterrupted      reason: why it goes back to the line
│   ├── CancelObserved          somebody asked for the end, and the machine is free
│   └── LeaseLost               the task is not this worker's any more: write nothing
└── XinferenceError             detail: the server's words, for the log and for staff only
    ├── XinferenceUnreachable   nobody answered; says nothing about the task
    ├── XinferenceKeyRefused    401, or banned for too many of them: stop sending this key
    ├── XinferenceBusy          429 or 503: ask again later
    ├── XinferenceAborted       409, or 500 "has been aborted"
    ├── XinferenceRefused       another 4xx: the same request can never succeed
    └── XinferenceFailed        500 or a connection lost under way: look at the model first
"""

from __future__ import annotations

from generation.choices import ErrorCode, InterruptReason
from generation.untrusted_text import redacted


class StudioError(Exception):
    """An error with a `code` for people and programs; `permanent`: the same try cannot succeed."""

    code: ErrorCode = ErrorCode.INTERNAL_ERROR
    permanent: bool = True

    def __init__(self, code: ErrorCode | None = None) -> None:
        if code is not None:
            self.code = code
        super().__init__(self.code.value)


class InvalidInput(StudioError):
    """Input that cannot be used; `field` names the culprit where there is one.

    `request_key` is the message's own, as far as it could be read.
    """

    code = ErrorCode.BAD_MESSAGE

    def __init__(self, code: ErrorCode, field: str | None = None) -> None:
        super().__init__(code)
        self.field = field
        self.request_key: str | None = None


class NotFound(StudioError):
    code = ErrorCode.NOT_FOUND


class TransitionRefused(StudioError):
    """The row did not have the status or the attempt that the change requires."""

    code = ErrorCode.NOT_ALLOWED_NOW


class PictureError(StudioError):
    """`detail`: what is wrong with the answer, for the log and for staff."""

    code = ErrorCode.BAD_PICTURE

    def __init__(self, code: ErrorCode | None = None, *, detail: str = "") -> None:
        super().__init__(code)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code.value}: {self.detail}" if self.detail else self.code.value


class StorageError(StudioError):
    """`detail`: what the operating system said, for the log and for staff."""

    code = ErrorCode.STORAGE_FAILED
    permanent = False

    def __init__(self, detail: str = "") -> None:
        super().__init__()
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code.value}: {self.detail}" if self.detail else self.code.value


class WorkerRefused(StudioError):
    """A worker may not start; the sentence says what to type."""

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class DecoderLost(StudioError):
    permanent = False


class AttemptEnded(StudioError):
    """Ends a run from within; never reaches a user."""

    permanent = False


class AttemptInterrupted(AttemptEnded):
    """`detail` is for the log and for staff."""

    def __init__(self, reason: InterruptReason, detail: str = "") -> None:
        super().__init__()
        self.reason = reason
        self.detail = detail


class CancelObserved(AttemptEnded):
    def __str__(self) -> str:
        return "somebody cancelled"


class LeaseLost(AttemptEnded):
    def __str__(self) -> str:
        return "the lease is lost"


class XinferenceError(StudioError):
    """Something the model server said or did; `detail` is raw: for the row and staff alone."""

    permanent = False

    def __init__(self, detail: str = "", *, code: ErrorCode | None = None) -> None:
        super().__init__(code)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.code.value}: {self.detail}" if self.detail else self.code.value

    @property
    def for_log(self) -> str:
        """Without words of the server that may quote a prompt."""
        return f"{self.code.value}: {redacted(self.detail)}" if self.detail else self.code.value


class XinferenceUnreachable(XinferenceError):
    code = ErrorCode.MODEL_DOWN


class XinferenceKeyRefused(XinferenceError):
    code = ErrorCode.KEY_REFUSED


class XinferenceBusy(XinferenceError):
    """`retry_after`: seconds the server asked for, or None."""

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
    permanent = True


class XinferenceFailed(XinferenceError):
    code = ErrorCode.MODEL_ERROR


class XinferenceUnreadable(XinferenceFailed):
    """A 200 that is larger than it may be, or encoded: nothing of it was used."""


class XinferenceDropped(XinferenceFailed):
    """The connection broke, or a proxy gave up: the model may still be drawing."""


def without_frames(error: BaseException) -> None:
    """Drop the tracebacks of `error` and of the errors behind it.

    A traceback holds frames and each frame its locals: answers, pictures, and the tasks that hold
    the error itself, which makes a cycle. The processes here collect cycles rarely, so an error
    that was handled and logged is taken apart by hand.
    """
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None:
            waiting += [each.__cause__, each.__context__]
            each.__cause__ = each.__context__ = each.__traceback__ = None

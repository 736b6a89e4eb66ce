"""What the operations page warns of, each with what to do."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generation.choices import WorkerCondition
from generation.error_codes import ErrorCode
from generation.quantity_text import elapsed
from generation.selectors import ModelStatus, Operations, WorkerStatus

NO_WORKER = "docs/operations.md#no-worker"
MODEL_DOWN = "docs/operations.md#model-down"
KEY_REFUSED = "docs/operations.md#key-refused"
COPIES = "docs/operations.md#backup-and-restore"
PAUSED = "docs/operations.md#paused"
PAGE = "docs/operations.md#the-operations-page"

LOST_WORKER_WARNING = 3_600
"""Seconds after which a lost worker is only listed: its slots were taken over long ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorWarning:
    """`section`: of the handbook; `command`: what to type, if anything helps."""

    title: str
    text: str
    section: str
    command: str = ""
    is_wanted: bool = False
    """An operator chose this state: it is a reminder, not a fault."""


def warnings_of(state: Operations) -> list[OperatorWarning]:
    found = [lost_worker(each) for each in state.workers if is_lost(each)]
    if not state.is_working:
        found.append(
            OperatorWarning(
                title=_("No worker is running."),
                text=_("Tasks wait until one starts."),
                section=NO_WORKER,
                command="manage.py run_worker",
            )
        )
    if state.is_paused:
        found.append(
            OperatorWarning(
                title=_("Paused."),
                text=_(
                    "Workers finish what they draw and claim nothing more; users read "
                    "“paused by the operator”."
                ),
                section=PAUSED,
                command="manage.py resume",
                is_wanted=True,
            )
        )
    if state.is_copy:
        found.append(
            OperatorWarning(
                title=_("The workers are paused: this database is a restored copy."),
                text=_("They could end calls of the original installation."),
                section=COPIES,
                command="manage.py resume",
            )
        )
    return found + [each for each in map(model_warning, state.models) if each is not None]


def is_lost(status: WorkerStatus) -> bool:
    is_recent = status.silence.total_seconds() < LOST_WORKER_WARNING
    return status.is_late and (is_recent or status.slots > 0)


def lost_worker(status: WorkerStatus) -> OperatorWarning:
    silence = elapsed(status.silence.total_seconds())
    held = status.slots
    text = _("It holds no task. Forget it below once it is replaced.")
    if status.condition != WorkerCondition.GONE:
        text = _("It may be busy. After 15 s it counts as lost.")
    elif held:
        sentence = ngettext(
            "It still holds %(n)s slot; another worker takes it over when its lease ends.",
            "It still holds %(n)s slots; another worker takes them over when their leases end.",
            held,
        )
        text = sentence % {"n": held}
    return OperatorWarning(
        title=_("%(worker)s has sent no heartbeat for %(time)s.")
        % {"worker": status.worker, "time": silence},
        text=text,
        section=NO_WORKER,
        command="manage.py run_worker",
    )


def model_warning(status: ModelStatus) -> OperatorWarning | None:
    state = status.state
    if state.paused:
        return OperatorWarning(
            title=_("%(model)s is paused.") % {"model": state.name},
            text=_("Its tasks wait; users read “paused by the operator”."),
            section=PAGE,
            is_wanted=True,
        )
    if state.ready or state.loading or not status.is_needed:
        return None
    if state.error_code == ErrorCode.KEY_REFUSED:
        return OperatorWarning(
            title=_("The model server refuses our key."),
            text=_("Correct it in the admin, or in the settings and restart the workers."),
            section=KEY_REFUSED,
            command="manage.py ask_model_server",
        )
    return OperatorWarning(
        title=_("%(model)s cannot be used.") % {"model": state.name},
        text=state.error_detail,
        section=MODEL_DOWN,
        command="manage.py status",
    )

"""The only writer. Every change of a task goes through one private transition function."""

from __future__ import annotations

from generation.services.ending import (
    complete,
    fail,
    finish_cancels,
    interrupt,
    request_cancel,
    settle_slot,
)
from generation.services.housekeeping import (
    Abandoned,
    beat,
    cancels_of,
    expire_leases,
    expire_worker,
    forget_workers,
    register_worker,
    retire_worker,
    sweep_files,
    take_over_slot,
)
from generation.services.pruning import Prunable, prunable, prune_batch
from generation.services.running import (
    Boundary,
    Claim,
    begin_call,
    begin_steps,
    claim,
    delay,
    record_progress,
    record_thumbnail,
    still_mine,
    store_image,
)
from generation.services.serving import (
    SeenModel,
    key_is_refused,
    record_lost,
    record_models,
    record_unreachable,
    refuse_key,
    repeat_refusal,
)
from generation.services.submitting import Submission, defaults, retry, submit
from generation.services.tokens import create_token, user_of_token

__all__ = [
    "Abandoned",
    "Boundary",
    "Claim",
    "Prunable",
    "SeenModel",
    "Submission",
    "beat",
    "begin_call",
    "begin_steps",
    "cancels_of",
    "claim",
    "complete",
    "create_token",
    "defaults",
    "delay",
    "expire_leases",
    "expire_worker",
    "fail",
    "finish_cancels",
    "forget_workers",
    "interrupt",
    "key_is_refused",
    "prunable",
    "prune_batch",
    "record_lost",
    "record_models",
    "record_progress",
    "record_thumbnail",
    "record_unreachable",
    "refuse_key",
    "register_worker",
    "repeat_refusal",
    "request_cancel",
    "retire_worker",
    "retry",
    "settle_slot",
    "still_mine",
    "store_image",
    "submit",
    "sweep_files",
    "take_over_slot",
    "user_of_token",
]

"""The only writer. Every change of a task goes through one private transition function."""

from __future__ import annotations

from generation.services.collecting import (
    BIN_KEPT,
    empty_bin,
    put_into_bin,
    restore,
    set_favourite,
)
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
    Fraction,
    begin_call,
    claim,
    delay,
    record_seen,
)
from generation.services.serving import (
    KEY_REFUSED,
    NOT_SERVED,
    SeenModel,
    key_is_refused,
    record_lost,
    record_models,
    record_unreachable,
    refuse_key,
    repeat_refusal,
)
from generation.services.sharing import create_link, end_link, end_links, forget_links
from generation.services.storing import Last, record_thumbnail, store_image
from generation.services.submitting import Submission, defaults, retry, submit
from generation.services.tokens import create_token, is_token, user_of_token

__all__ = [
    "BIN_KEPT",
    "KEY_REFUSED",
    "NOT_SERVED",
    "Abandoned",
    "Boundary",
    "Claim",
    "Fraction",
    "Last",
    "Prunable",
    "SeenModel",
    "Submission",
    "beat",
    "begin_call",
    "cancels_of",
    "claim",
    "complete",
    "create_link",
    "create_token",
    "defaults",
    "delay",
    "empty_bin",
    "end_link",
    "end_links",
    "expire_leases",
    "expire_worker",
    "fail",
    "finish_cancels",
    "forget_links",
    "forget_workers",
    "interrupt",
    "is_token",
    "key_is_refused",
    "prunable",
    "prune_batch",
    "put_into_bin",
    "record_lost",
    "record_models",
    "record_seen",
    "record_thumbnail",
    "record_unreachable",
    "refuse_key",
    "register_worker",
    "repeat_refusal",
    "request_cancel",
    "restore",
    "retire_worker",
    "retry",
    "set_favourite",
    "settle_slot",
    "store_image",
    "submit",
    "sweep_files",
    "take_over_slot",
    "user_of_token",
]

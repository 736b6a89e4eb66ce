"""The only writer. Every change of a task goes through one private transition function."""

from __future__ import annotations

from generation.services.account_deletion import close_account, delete_account
from generation.services.attempts import (
    Boundary,
    Fraction,
    Last,
    begin_call,
    delay,
    record_seen,
    record_thumbnail,
    store_image,
)
from generation.services.cancellation import finish_cancels, request_cancel
from generation.services.claims import Claim, claim
from generation.services.collection_changes import set_favourite
from generation.services.completion import complete, fail, interrupt
from generation.services.installation import Resumed, join, may_work, pause, resume
from generation.services.model_status import (
    KEY_REFUSED,
    NOT_SERVED,
    SeenModel,
    accept_key,
    key_is_refused,
    key_use,
    record_lost,
    record_models,
    record_unreachable,
    refuse_key,
    repeat_refusal,
)
from generation.services.retention import (
    Prunable,
    forget_sessions,
    prunable,
    prune_batch,
    sweep_files,
)
from generation.services.share_links import create_link, end_link, end_links, forget_links
from generation.services.slots import Abandoned, expire_leases, settle_slot, take_over_slot
from generation.services.submission import Submission, defaults, fill_search_text, retry, submit
from generation.services.tokens import create_token, is_token, user_of_token
from generation.services.trash import delete_for_good, empty_bin, empty_trash, put_into_bin, restore
from generation.services.workers import (
    beat,
    cancels_of,
    expire_worker,
    forget_workers,
    register_worker,
    retire_worker,
)

__all__ = [
    "KEY_REFUSED",
    "NOT_SERVED",
    "Abandoned",
    "Boundary",
    "Claim",
    "Fraction",
    "Last",
    "Prunable",
    "Resumed",
    "SeenModel",
    "Submission",
    "accept_key",
    "beat",
    "begin_call",
    "cancels_of",
    "claim",
    "close_account",
    "complete",
    "create_link",
    "create_token",
    "defaults",
    "delay",
    "delete_account",
    "delete_for_good",
    "empty_bin",
    "empty_trash",
    "end_link",
    "end_links",
    "expire_leases",
    "expire_worker",
    "fail",
    "fill_search_text",
    "finish_cancels",
    "forget_links",
    "forget_sessions",
    "forget_workers",
    "interrupt",
    "is_token",
    "join",
    "key_is_refused",
    "key_use",
    "may_work",
    "pause",
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
    "resume",
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

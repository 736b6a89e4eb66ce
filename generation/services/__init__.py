"""The only writer of tasks, slots, images and workers.

Every change of a task goes through `transition`, which is private to this package.
"""

from __future__ import annotations

from generation.services.account_deletion import (
    DELETION_DELAY,
    close_account,
    close_due_accounts,
    delete_account,
    delete_user,
    keep_account,
    request_deletion,
)
from generation.services.appeals import appeal
from generation.services.attempt_progress import (
    Boundary,
    Fraction,
    LastImage,
    begin_call,
    record_delay,
    record_progress,
    record_thumbnail,
    store_image,
)
from generation.services.audit import record_action
from generation.services.cancellation import cancel_overdue, finish_cancels, request_cancel
from generation.services.charges import delete_past_usage, recount_storage
from generation.services.claims import Claim, claim
from generation.services.collection_changes import set_favourite
from generation.services.completion import complete, fail, interrupt
from generation.services.hand_back import hand_back
from generation.services.incidents import (
    Alarm,
    claim_notices,
    delete_old_incidents,
    record_alarms,
    record_notices,
    take_turn,
)
from generation.services.leases import cancel_requests_of, expire_worker, heartbeat
from generation.services.model_servers import (
    DEFAULT_SERVER,
    addresses_text,
    connection_of,
    delete_server,
    has_calls,
    held_calls,
    is_refused_key,
    model_servers,
    named_servers,
    record_memory,
    sync_named_servers,
    uses_demo_model,
    without_user,
)
from generation.services.model_status import (
    ModelObservation,
    record_lost_model,
    record_models,
    record_unreachable,
)
from generation.services.model_sums import NOT_SERVED, sum_models
from generation.services.operator_actions import ACTIONS, act
from generation.services.orphaned_files import remove_orphaned_files
from generation.services.pause import (
    PauseLevel,
    end_pause,
    hold,
    join_data_dir,
    pause,
    pause_level,
    resume,
)
from generation.services.prune_runs import Pruned, continue_run, prune_owners, take_run
from generation.services.review_claims import (
    claim_batch,
    delete_expired_claims,
    release_claims,
)
from generation.services.reviews import UNDO_WITHIN, decide, undo
from generation.services.rollups import delete_old_rollups, roll_up, sample_queue
from generation.services.saved_views import delete_view, save_view
from generation.services.search_text import fill_search_text
from generation.services.server_changes import check_now, remove_server, save_server
from generation.services.server_keys import (
    UNSEEN_AFTER,
    accept_key,
    key_is_refused,
    key_refused_message,
    key_use,
    record_refused_key,
    refuse_key,
)
from generation.services.server_rests import record_call
from generation.services.share_links import (
    create_link,
    delete_expired_links,
    revoke_link,
    revoke_links,
)
from generation.services.slot_take_over import AbandonedCall, take_over_expired
from generation.services.slots import settle_slot
from generation.services.staff_changes import cancel_by, retry_by
from generation.services.submission import Submission, newest_like, retry, submit
from generation.services.submission_values import defaults
from generation.services.task_deletion import (
    delete_expired_sessions,
    prune_batch,
    prune_summary,
)
from generation.services.trash import (
    delete_permanently,
    empty_trash,
    move_to_trash,
    purge_trash,
    restore,
)
from generation.services.web_processes import (
    ConnectionReport,
    delete_old_web_processes,
    report_web_process,
)
from generation.services.webhook_delivery import (
    WebhookMessage,
    claim_messages,
    record_message,
    record_unsent,
)
from generation.services.webhook_endpoints import (
    OPTIONAL_KINDS,
    NewWebhook,
    change_webhook,
    create_webhook,
    delete_old_attempts,
    delete_webhook,
    request_again,
    request_test,
    webhook_values,
)
from generation.services.word_rules import delete_word_rules, save_word_rule
from generation.services.workers import (
    delete_old_workers,
    register_worker,
    retire_worker,
)

__all__ = [
    "ACTIONS",
    "DEFAULT_SERVER",
    "DELETION_DELAY",
    "NOT_SERVED",
    "OPTIONAL_KINDS",
    "UNDO_WITHIN",
    "UNSEEN_AFTER",
    "AbandonedCall",
    "Alarm",
    "Boundary",
    "Claim",
    "ConnectionReport",
    "Fraction",
    "LastImage",
    "ModelObservation",
    "NewWebhook",
    "PauseLevel",
    "Pruned",
    "Submission",
    "WebhookMessage",
    "accept_key",
    "act",
    "addresses_text",
    "appeal",
    "begin_call",
    "cancel_by",
    "cancel_overdue",
    "cancel_requests_of",
    "change_webhook",
    "check_now",
    "claim",
    "claim_batch",
    "claim_messages",
    "claim_notices",
    "close_account",
    "close_due_accounts",
    "complete",
    "connection_of",
    "continue_run",
    "create_link",
    "create_webhook",
    "decide",
    "defaults",
    "delete_account",
    "delete_expired_claims",
    "delete_expired_links",
    "delete_expired_sessions",
    "delete_old_attempts",
    "delete_old_incidents",
    "delete_old_rollups",
    "delete_old_web_processes",
    "delete_old_workers",
    "delete_past_usage",
    "delete_permanently",
    "delete_server",
    "delete_user",
    "delete_view",
    "delete_webhook",
    "delete_word_rules",
    "empty_trash",
    "end_pause",
    "expire_worker",
    "fail",
    "fill_search_text",
    "finish_cancels",
    "hand_back",
    "has_calls",
    "heartbeat",
    "held_calls",
    "hold",
    "interrupt",
    "is_refused_key",
    "join_data_dir",
    "keep_account",
    "key_is_refused",
    "key_refused_message",
    "key_use",
    "model_servers",
    "move_to_trash",
    "named_servers",
    "newest_like",
    "pause",
    "pause_level",
    "prune_batch",
    "prune_owners",
    "prune_summary",
    "purge_trash",
    "record_action",
    "record_alarms",
    "record_call",
    "record_delay",
    "record_lost_model",
    "record_memory",
    "record_message",
    "record_models",
    "record_notices",
    "record_progress",
    "record_refused_key",
    "record_thumbnail",
    "record_unreachable",
    "record_unsent",
    "recount_storage",
    "refuse_key",
    "register_worker",
    "release_claims",
    "remove_orphaned_files",
    "remove_server",
    "report_web_process",
    "request_again",
    "request_cancel",
    "request_deletion",
    "request_test",
    "restore",
    "resume",
    "retire_worker",
    "retry",
    "retry_by",
    "revoke_link",
    "revoke_links",
    "roll_up",
    "sample_queue",
    "save_server",
    "save_view",
    "save_word_rule",
    "set_favourite",
    "settle_slot",
    "store_image",
    "submit",
    "sum_models",
    "sync_named_servers",
    "take_over_expired",
    "take_run",
    "take_turn",
    "undo",
    "uses_demo_model",
    "webhook_values",
    "without_user",
]

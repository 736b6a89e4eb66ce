"""The admin: staff can read everything; the few actions go through services."""

from __future__ import annotations

from generation.admin import boolean_icons
from generation.admin.accounts import AccountAdmin
from generation.admin.audit_log import AuditEntryAdmin
from generation.admin.incidents import IncidentAdmin
from generation.admin.limit_overrides import LimitOverrideAdmin
from generation.admin.model_servers import ModelServerAdmin
from generation.admin.retention import PruneRunAdmin, RetentionRuleAdmin
from generation.admin.reviews import ReviewAdmin, ReviewReasonAdmin
from generation.admin.share_links import ShareLinkAdmin
from generation.admin.tasks import GenerationTaskAdmin
from generation.admin.webhooks import WebhookAttemptAdmin, WebhookEndpointAdmin
from generation.admin.word_rules import WordRuleAdmin
from generation.admin.workers import ModelSlotAdmin, ModelStateAdmin, WorkerAdmin

__all__ = [
    "AccountAdmin",
    "AuditEntryAdmin",
    "GenerationTaskAdmin",
    "IncidentAdmin",
    "LimitOverrideAdmin",
    "ModelServerAdmin",
    "ModelSlotAdmin",
    "ModelStateAdmin",
    "PruneRunAdmin",
    "RetentionRuleAdmin",
    "ReviewAdmin",
    "ReviewReasonAdmin",
    "ShareLinkAdmin",
    "WebhookAttemptAdmin",
    "WebhookEndpointAdmin",
    "WordRuleAdmin",
    "WorkerAdmin",
]

boolean_icons.use_in_admin()

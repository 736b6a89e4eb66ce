"""Tables: tasks with their log and pictures, and the workers and models behind them."""

from __future__ import annotations

from generation.models.allowances import LimitOverride, LimitUsage
from generation.models.audit import AuditEntry
from generation.models.collection import Collection
from generation.models.images import GeneratedImage
from generation.models.incidents import AlarmWatch, Incident, IncidentNotice
from generation.models.model_servers import ModelInstance, ModelServer
from generation.models.retention import PruneRun, RetentionRule
from generation.models.reviews import Appeal, Review, ReviewClaim, ReviewReason, WordRule
from generation.models.rollups import Rollup, WebProcess
from generation.models.saved_views import SavedView
from generation.models.share_links import ShareLink
from generation.models.tasks import GenerationTask, TaskEvent
from generation.models.webhooks import WebhookAttempt, WebhookCursor, WebhookEndpoint
from generation.models.workers import Installation, ModelSlot, ModelState, Worker

__all__ = [
    "AlarmWatch",
    "Appeal",
    "AuditEntry",
    "Collection",
    "GeneratedImage",
    "GenerationTask",
    "Incident",
    "IncidentNotice",
    "Installation",
    "LimitOverride",
    "LimitUsage",
    "ModelInstance",
    "ModelServer",
    "ModelSlot",
    "ModelState",
    "PruneRun",
    "RetentionRule",
    "Review",
    "ReviewClaim",
    "ReviewReason",
    "Rollup",
    "SavedView",
    "ShareLink",
    "TaskEvent",
    "WebProcess",
    "WebhookAttempt",
    "WebhookCursor",
    "WebhookEndpoint",
    "WordRule",
    "Worker",
]

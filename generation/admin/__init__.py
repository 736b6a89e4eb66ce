"""A reading room for staff; actions go through services."""

from __future__ import annotations

from generation.admin.accounts import AccountAdmin
from generation.admin.machinery import ModelSlotAdmin, ModelStateAdmin, WorkerAdmin
from generation.admin.sharing import ShareLinkAdmin
from generation.admin.tasks import GenerationTaskAdmin
from generation.admin.tokens import ApiTokenAdmin

__all__ = [
    "AccountAdmin",
    "ApiTokenAdmin",
    "GenerationTaskAdmin",
    "ModelSlotAdmin",
    "ModelStateAdmin",
    "ShareLinkAdmin",
    "WorkerAdmin",
]

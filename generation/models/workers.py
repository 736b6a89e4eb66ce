"""The installation, its workers, and the models with their slots."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import CheckConstraint, Index, Q, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from generation.choices import Route, WorkerState
from generation.limits import MAX_MODEL_NAME
from generation.models.model_servers import ModelInstance
from generation.models.tasks import GenerationTask


class Installation(models.Model):
    """The single row with the id of this installation; a copy of the database has it too."""

    key = models.UUIDField(_("id"))
    settled = models.BooleanField(default=False)
    """Whether a DATA_DIR was ever registered for it."""
    paused = models.BooleanField(_("paused"), default=False)
    """Whether workers claim no tasks."""
    is_held = models.BooleanField(_("held"), default=False, db_default=False)
    """Whether they also end no calls and send nothing, as in a copy; only while `paused`."""

    class Meta:
        verbose_name = _("installation")
        verbose_name_plural = _("installations")

    def __str__(self) -> str:
        return str(self.key)


class Worker(models.Model):
    """A worker process; it writes its own row with every heartbeat."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(_("host"), max_length=200)
    pid = models.PositiveIntegerField(_("process"))
    version = models.CharField(_("version"), max_length=40)
    model_server = models.CharField(
        _("model server"), max_length=500, blank=True, default="", db_default=""
    )
    """Address without credentials; empty in rows of versions that did not record it."""
    slots = models.PositiveSmallIntegerField(_("slots held"), default=0)
    started = models.DateTimeField(_("started"))
    last_seen = models.DateTimeField(_("last seen"))
    state = models.CharField(
        _("state"), max_length=10, choices=WorkerState.choices, default=WorkerState.RUNNING
    )
    is_drained = models.BooleanField(_("drained by an operator"), default=False, db_default=False)
    """Whether it claims no more tasks; the process goes on."""

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        indexes = (Index(fields=["state", "last_seen"], name="workers_alive"),)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class ModelState(models.Model):
    """A model as users see it: the sum of its instances on all model servers.

    Web processes read this and call no model server.
    """

    name = models.CharField(_("model"), max_length=MAX_MODEL_NAME, unique=True)
    ready = models.BooleanField(_("ready"), default=False)
    loading = models.BooleanField(_("loading"), default=False)
    replicas = models.PositiveSmallIntegerField(_("replicas"), default=0)
    slots = models.PositiveSmallIntegerField(_("slots"), default=0, db_default=0)
    """How many calls may be in flight on all servers that may be called."""
    route = models.CharField(
        _("route"), max_length=12, choices=Route.choices, default=Route.TXT2IMG
    )
    demo = models.BooleanField(_("demo model"), default=False)
    checked_at = models.DateTimeField(_("checked"))
    seen_at = models.DateTimeField(_("last served"), null=True, blank=True)
    """When a model server last listed it; an unlisted model is deleted after an hour."""
    error_code = models.CharField(_("error"), max_length=32, blank=True, default="")
    error_detail = models.TextField(_("cause"), blank=True, default="", db_default="")
    """One sentence for the operator, without keys and passwords."""
    paused = models.BooleanField(_("paused"), default=False, db_default=False)
    """Whether an operator keeps its tasks in the queue."""

    class Meta:
        verbose_name = _("model")
        verbose_name_plural = _("models")

    def __str__(self) -> str:
        return self.name


class ModelSlot(models.Model):
    """The right to have one call in flight on one replica; free = no task.

    It outlives its task's attempt: it is freed when the call is known to be over. `instance` is
    null in rows of versions that knew one server only.
    """

    instance = models.ForeignKey(
        ModelInstance,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="slot_rows",
        verbose_name=_("model of a server"),
    )
    model = models.CharField(_("model"), max_length=MAX_MODEL_NAME)
    number = models.PositiveSmallIntegerField(_("number"))
    task = models.OneToOneField(
        GenerationTask,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="slot",
        verbose_name=_("task"),
    )
    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    request_id = models.UUIDField(_("request id"), null=True, blank=True)
    identity = models.TextField(_("model process"), blank=True, default="")
    worker = models.ForeignKey(
        Worker,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="held_slots",
        verbose_name=_("worker"),
    )
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)

    class Meta:
        verbose_name = _("slot")
        verbose_name_plural = _("slots")
        constraints = (
            UniqueConstraint(fields=["instance", "number"], name="one_slot_per_number"),
            UniqueConstraint(
                fields=["model", "number"],
                condition=Q(instance__isnull=True),
                name="one_slot_without_instance",
            ),
            CheckConstraint(
                condition=Q(task__isnull=True, lease_until__isnull=True)
                | Q(task__isnull=False, lease_until__isnull=False),
                name="held_slots_have_a_lease",
            ),
        )
        indexes = (
            Index(fields=["lease_until"], condition=Q(task__isnull=False), name="slots_by_lease"),
        )

    def __str__(self) -> str:
        return f"{self.model} #{self.number}"

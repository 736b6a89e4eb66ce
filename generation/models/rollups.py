"""What happened in each minute and hour, and the web processes with their connections."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Index, UniqueConstraint
from django.utils.translation import gettext_lazy as _

from generation.choices import Resolution


class Rollup(models.Model):
    """Figures of one minute or hour, written by workers; the operations page reads only these."""

    resolution = models.CharField(_("resolution"), max_length=6, choices=Resolution.choices)
    start = models.DateTimeField(_("start"))
    queued_most = models.PositiveIntegerField(_("most queued tasks"), null=True, blank=True)
    """None if no worker ran in that time; sampled, not counted."""
    oldest_wait_most = models.FloatField(_("longest wait in seconds"), null=True, blank=True)
    is_counted = models.BooleanField(_("counted"), default=False)
    """Whether the tasks that ended in it are counted."""
    ended = models.JSONField(_("ended tasks"), default=list)
    """[model, status, error code, step, tasks, pictures] for each combination."""
    durations = models.JSONField(_("durations"), default=dict)
    """{`wait`, `run` or a step: histogram} of the completed tasks; see `generation.histograms`."""

    class Meta:
        verbose_name = _("figures of a period")
        verbose_name_plural = _("figures of periods")
        constraints = (
            UniqueConstraint(fields=["resolution", "start"], name="one_rollup_per_period"),
        )

    def __str__(self) -> str:
        return f"{self.get_resolution_display()} {self.start:%Y-%m-%d %H:%M}"


class WebProcess(models.Model):
    """A web process with its open connections; it writes its own row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    host = models.CharField(_("host"), max_length=200)
    pid = models.PositiveIntegerField(_("process"))
    version = models.CharField(_("version"), max_length=40)
    started = models.DateTimeField(_("started"))
    last_seen = models.DateTimeField(_("last seen"))
    sockets = models.PositiveIntegerField(_("sockets"), default=0)
    streams = models.PositiveIntegerField(_("event streams"), default=0)
    polls = models.PositiveIntegerField(_("polls"), default=0)
    """Answered since the report before."""
    gaps_healed = models.PositiveBigIntegerField(_("gaps healed"), default=0)
    """Times since its start that a client was behind and got events from the log."""
    delay_p95 = models.FloatField(_("event delay in seconds, p95"), null=True, blank=True)
    """From the commit to the sockets; None if no event arrived since the report before."""

    class Meta:
        verbose_name = _("web process")
        verbose_name_plural = _("web processes")
        indexes = (Index(fields=["last_seen"], name="web_processes_alive"),)

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"

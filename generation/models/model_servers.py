"""The model servers, and the models that each of them serves."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import UniqueConstraint
from django.utils.translation import gettext_lazy as _

from generation import limits
from generation.choices import Route

KEY_VARIABLE = r"^XINFERENCE_KEY_[A-Z0-9_]+$"
"""Names of variables that may hold a key: no other secret of a worker is sent to a server."""


class ModelServer(models.Model):
    """A model server, as settings or an operator named it and as workers last saw it."""

    name = models.SlugField(_("name"), max_length=limits.MAX_SERVER_NAME, unique=True)
    url = models.CharField(
        _("address"), max_length=limits.MAX_SERVER_URL, blank=True, default="", db_default=""
    )
    """Without a password. Empty: the demo model in the process of the worker."""
    encrypted_key = models.TextField(editable=False, blank=True, default="", db_default="")
    """Of an API key; of the password if the URL has a user name."""
    key_variable = models.CharField(
        _("variable with the key"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("Of the environment of the workers: XINFERENCE_KEY_ and more."),
        validators=[RegexValidator(KEY_VARIABLE, _("Its name begins with XINFERENCE_KEY_."))],
    )
    """Name of the variable that holds it, instead of `encrypted_key`."""
    ca_file = models.CharField(
        _("file of certificate authorities"),
        max_length=500,
        blank=True,
        default="",
        db_default="",
    )
    client_certificate = models.CharField(
        _("file of our certificate"), max_length=500, blank=True, default="", db_default=""
    )
    verify = models.BooleanField(_("check its certificate"), default=True, db_default=True)
    proxy = models.CharField(
        _("proxy"), max_length=limits.MAX_SERVER_URL, blank=True, default="", db_default=""
    )
    metrics_url = models.CharField(
        _("address of its metrics"),
        max_length=limits.MAX_SERVER_URL,
        blank=True,
        default="",
        db_default="",
        help_text=_(
            "The metrics port of its worker. From it the studio knows how many calls of other "
            "programs run or wait there, and sends as many fewer."
        ),
    )
    """Without a user and without `/metrics`; empty if the queue of the server is not asked for."""
    enabled = models.BooleanField(_("enabled"), default=True, db_default=True)
    draining = models.BooleanField(_("draining"), default=False, db_default=False)
    """Whether it gets no more calls; those that run go on."""
    weight = models.PositiveSmallIntegerField(
        _("weight"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(limits.MAX_SERVER_WEIGHT)],
    )
    """Of servers that are equally fast the one with more weight gets the call."""
    note = models.CharField(
        _("note"), max_length=limits.MAX_SERVER_NOTE, blank=True, default="", db_default=""
    )
    from_environment = models.BooleanField(
        _("from the settings"), default=False, db_default=False, editable=False
    )
    """Whether address and key are those of the settings, and the columns are only shown."""
    checked_at = models.DateTimeField(_("checked"), null=True, blank=True)
    error_code = models.CharField(_("error"), max_length=32, blank=True, default="", db_default="")
    error_detail = models.TextField(_("cause"), blank=True, default="", db_default="")
    """One sentence for the operator, without keys and passwords."""
    refused_key = models.CharField(
        _("fingerprint of the refused key"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
    )
    refused_until = models.DateTimeField(_("refused key paused until"), null=True, blank=True)
    key_tried_at = models.DateTimeField(_("last try of the refused key"), null=True, blank=True)
    recent_calls = models.CharField(
        _("latest calls"),
        max_length=limits.RECENT_CALLS,
        blank=True,
        default="",
        db_default="",
    )
    """`x` for each call that failed and `o` for each that did not, the newest last; empty after a
    rest and while none fails."""
    rested_until = models.DateTimeField(_("rests until"), null=True, blank=True)
    """Then one call tries whether it works again; null if it does not rest."""
    rests = models.PositiveSmallIntegerField(_("rests in a row"), default=0, db_default=0)
    memory = models.BigIntegerField(_("memory in use"), null=True, blank=True)
    """In bytes, like the two below; None if the server does not publish it."""
    gpu_memory = models.BigIntegerField(_("GPU memory in use"), null=True, blank=True)
    gpu_memory_total = models.BigIntegerField(_("GPU memory"), null=True, blank=True)
    memory_at = models.DateTimeField(_("memory measured"), null=True, blank=True)

    class Meta:
        verbose_name = _("model server")
        verbose_name_plural = _("model servers")

    def __str__(self) -> str:
        return self.name

    @property
    def is_demo(self) -> bool:
        return not self.url

    @property
    def takes_calls(self) -> bool:
        """Whether an operator lets it have new calls."""
        return self.enabled and not self.draining


class ModelInstance(models.Model):
    """A model on one server, as workers last saw it."""

    server = models.ForeignKey(
        ModelServer, models.CASCADE, related_name="instances", verbose_name=_("model server")
    )
    model = models.CharField(_("model"), max_length=limits.MAX_MODEL_NAME)
    ready = models.BooleanField(_("ready"), default=False)
    loading = models.BooleanField(_("loading"), default=False)
    replicas = models.PositiveSmallIntegerField(_("replicas"), default=0)
    slots = models.PositiveSmallIntegerField(_("slots"), default=0)
    """How many calls may be in flight; held slots with a higher number are not used again."""
    other_calls = models.PositiveSmallIntegerField(
        _("calls of other programs"), null=True, blank=True
    )
    """Those that run or wait; `slots` is smaller by them. None if the server does not say it."""
    route = models.CharField(
        _("route"), max_length=12, choices=Route.choices, default=Route.TXT2IMG
    )
    identity = models.TextField(_("model process"), blank=True, default="")
    """Addresses of its replicas, separated by commas."""
    identity_since = models.DateTimeField(_("launched"), null=True, blank=True)
    lost_identity = models.TextField(_("model process that died"), blank=True, default="")
    lost_at = models.DateTimeField(_("died"), null=True, blank=True)
    checked_at = models.DateTimeField(_("checked"))
    seen_at = models.DateTimeField(_("last served"), null=True, blank=True)
    """When the server last listed it; one that it does not list is deleted after an hour."""
    error_code = models.CharField(_("error"), max_length=32, blank=True, default="")
    error_detail = models.TextField(_("cause"), blank=True, default="")
    paces = models.JSONField(_("seconds per step"), default=dict, blank=True)
    """Size bucket → median seconds of one denoising step; see `size_bucket`."""

    class Meta:
        verbose_name = _("model of a server")
        verbose_name_plural = _("models of servers")
        constraints = (
            UniqueConstraint(fields=["server", "model"], name="one_instance_per_server"),
        )

    def __str__(self) -> str:
        return f"{self.model} @ {self.server}"

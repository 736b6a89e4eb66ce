"""The codes with which the studio closes a WebSocket or ends an event stream."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class CloseCode(models.IntegerChoices):
    """WebSocket close codes."""

    NOT_SIGNED_IN = 4401, _("not signed in, signed out, or a bad token")
    REFUSED = 4403, _("account disabled, host or origin refused, or no TLS where the site has it")
    TOO_SLOW = 4408, _("reads too slowly")
    FLOODING = 4429, _("too many messages or connections")
    LEAVING = 4503, _("the server is shutting down; reconnect at once")

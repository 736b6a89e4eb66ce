"""The studio as it is, with its counts at one more address."""

from __future__ import annotations

from liujuan_site import asgi

# the hub needs Django's apps, which asgi loads
# isort: split
from benchmarks.servers.layer_counts import layer_figures
from benchmarks.servers.process_counts import Figures, with_figures
from generation.hub import hub


def count() -> Figures:
    memberships = hub.groups
    return {
        **layer_figures(),
        "sockets": len(hub.all_outboxes()),
        "watched tasks": len(hub.subscriptions),
        "owners with sockets": len(hub.outboxes),
        "group reference counts": len(memberships.counts),
        "group locks": len(memberships.locks),
        "groups joined": len(memberships.joined),
        "unanswered markers": len(memberships.markers),
        "frames queued": sum(len(outbox.frames) for outbox in hub.all_outboxes()),
    }


application = with_figures(asgi.application, count)

"""The operations page: what the studio does now and did lately, and the operator's buttons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.client_address import client_address
from generation import selectors, services
from generation.admin.operations_charts import bar_chart, queue_chart
from generation.admin.operations_dots import dot_chart
from generation.admin.operations_failures import failure_grid
from generation.admin.operations_warnings import warnings_of
from generation.choice_labels import label
from generation.choices import AuditAction, Step, WorkerCondition
from generation.clock import clock
from generation.limits import MAX_MODEL_NAME
from generation.quantity_text import duration
from generation.selectors import RANGES, History, Operations
from generation.staff_permissions import OPERATE, VIEW_ALL

REFRESH_SECONDS = 5

RANGE_LABELS = {
    "1h": pgettext_lazy("range", "1 h"),
    "24h": pgettext_lazy("range", "24 h"),
    "7d": pgettext_lazy("range", "7 d"),
    "30d": pgettext_lazy("range", "30 d"),
}
BAR_TITLES = {
    "1h": gettext_lazy("Ended tasks per 5 minutes"),
    "24h": gettext_lazy("Ended tasks per hour"),
    "7d": gettext_lazy("Ended tasks per 6 hours"),
    "30d": gettext_lazy("Ended tasks per day"),
}

TIMED_STEPS = (Step.LOADING, Step.PREPARING, Step.GENERATING, Step.DECODING, Step.FINISHING)
"""The other two have no duration: one is over with the submission, one is a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAction:
    """A button that asks before it acts."""

    audit: AuditAction
    question: Any
    consequence: Any
    button: Any
    done: Any


ACTIONS = {
    "pause": OperatorAction(
        audit=AuditAction.PAUSED,
        question=gettext_lazy("Pause claiming tasks?"),
        consequence=gettext_lazy(
            "Workers finish what they draw and claim nothing more; cancels, webhooks and cleanup "
            "go on. Users can submit; their tasks wait and say “paused by the operator”."
        ),
        button=gettext_lazy("Pause"),
        done=gettext_lazy("Paused. Workers notice it within a few seconds."),
    ),
    "resume": OperatorAction(
        audit=AuditAction.RESUMED,
        question=gettext_lazy("Resume claiming tasks?"),
        consequence=gettext_lazy("Workers claim waiting tasks again, in the order of the queue."),
        button=gettext_lazy("Resume"),
        done=gettext_lazy("Resumed. Workers notice it within a few seconds."),
    ),
    "drain": OperatorAction(
        audit=AuditAction.WORKER_DRAINED,
        question=gettext_lazy("Drain this worker?"),
        consequence=gettext_lazy(
            "It finishes what it draws and claims nothing more, so that you can stop it without "
            "interrupting a picture. Other workers go on."
        ),
        button=gettext_lazy("Drain"),
        done=gettext_lazy("The worker claims no more tasks."),
    ),
    "undo-drain": OperatorAction(
        audit=AuditAction.WORKER_UNDRAINED,
        question=gettext_lazy("Let this worker claim tasks again?"),
        consequence=gettext_lazy("It claims waiting tasks with its next heartbeat."),
        button=gettext_lazy("Let it claim"),
        done=gettext_lazy("The worker claims tasks again."),
    ),
    "take-over": OperatorAction(
        audit=AuditAction.SLOTS_TAKEN_OVER,
        question=gettext_lazy("Take over the slots of this worker now?"),
        consequence=gettext_lazy(
            "Its leases end at once, and another worker ends its calls and draws its tasks again. "
            "Should it live after all, nothing that it writes is accepted."
        ),
        button=gettext_lazy("Take over now"),
        done=gettext_lazy("The leases have ended; another worker takes the slots over."),
    ),
    "drain-server": OperatorAction(
        audit=AuditAction.SERVER_DRAINED,
        question=gettext_lazy("Drain this model server?"),
        consequence=gettext_lazy(
            "It finishes the calls that it has and gets no more, so that you can stop it without "
            "interrupting a picture. Other servers go on."
        ),
        button=gettext_lazy("Drain"),
        done=gettext_lazy("The model server gets no more calls."),
    ),
    "undo-drain-server": OperatorAction(
        audit=AuditAction.SERVER_UNDRAINED,
        question=gettext_lazy("Send calls to this model server again?"),
        consequence=gettext_lazy("Workers use it with their next claim."),
        button=gettext_lazy("Send calls"),
        done=gettext_lazy("The model server gets calls again."),
    ),
    "forget": OperatorAction(
        audit=AuditAction.WORKER_FORGOTTEN,
        question=gettext_lazy("Forget this worker?"),
        consequence=gettext_lazy(
            "Its row is deleted. Slots that it holds are taken over when their leases end. If it "
            "comes back, it registers again."
        ),
        button=gettext_lazy("Forget"),
        done=gettext_lazy("The worker is no longer listed."),
    ),
}


@require_safe
@admin.site.admin_view
def operations(request: HttpRequest) -> HttpResponse:
    """The page, or with `part=live` what a script replaces in it."""
    if not (request.user.has_perm(OPERATE) or request.user.has_perm(VIEW_ALL)):
        raise PermissionDenied
    is_part = request.GET.get("part") == "live"
    context = live_context(request)
    if not is_part:
        context |= {**admin.site.each_context(request), "title": _("Operations overview")}
    return render(request, f"admin/operations/{'live' if is_part else 'page'}.html", context)


def live_context(request: HttpRequest) -> dict[str, Any]:
    now = clock.now()
    name = request.GET.get("range", "")
    name = name if name in RANGES else "1h"
    state, past = selectors.operations(now=now), selectors.history(name, now=now)
    return {
        "now": now,
        "refresh_seconds": REFRESH_SECONDS,
        "range": name,
        "ranges": RANGE_LABELS,
        "bar_title": BAR_TITLES[name],
        "state": state,
        "past": past,
        "ranges_label": RANGE_LABELS[name],
        "wait_p50": past.quantile("wait", 0.5),
        "wait_p95": past.quantile("wait", 0.95),
        "failure_percent": 100 * (past.failure_rate or 0),
        "pictures_per_hour": pictures_per_hour(past),
        "queue_sentence": queue_sentence(past),
        "times_sentence": times_sentence(past),
        "ended_sentence": ended_sentence(past),
        "warnings": warnings_of(state),
        "queue_chart": queue_chart(past.points, lost_workers(state)),
        "dot_chart": dot_chart(duration_rows(past)),
        "bar_chart": bar_chart(past.bars),
        "failure_grid": failure_grid(past.failures),
        "may_operate": request.user.has_perm(OPERATE),
        "may_view": request.user.has_perm(VIEW_ALL),
    }


def lost_workers(state: Operations) -> list[tuple[datetime, str]]:
    """The last heartbeat of each lost worker."""
    lost = (each.worker for each in state.workers if each.condition == WorkerCondition.GONE)
    return [(each.last_seen, _("%(worker)s lost") % {"worker": each}) for each in lost]


def pictures_per_hour(past: History) -> float | None:
    """In the time that is counted; None before the first minute of it."""
    if past.counted_until is None or past.counted_until <= past.since:
        return None
    return past.pictures / ((past.counted_until - past.since).total_seconds() / 3_600)


def queue_sentence(past: History) -> str:
    known = [point for point in past.points if point.queued is not None]
    if not known:
        return _("Length of the queue: no worker has noted it yet.")
    return _("Length of the queue: at most %(n)s tasks, the oldest waited %(time)s at most.") % {
        "n": max(point.queued or 0 for point in known),
        "time": duration(max(point.oldest_wait or 0.0 for point in known)),
    }


def times_sentence(past: History) -> str:
    wait, run = past.quantile("wait", 0.95), past.quantile("run", 0.95)
    if wait is None or run is None:
        return _("Times of the steps: no task was completed.")
    return _("Of 100 tasks, 95 waited %(wait)s at most and took %(run)s at most to draw.") % {
        "wait": duration(wait),
        "run": duration(run),
    }


def ended_sentence(past: History) -> str:
    return _("%(completed)s tasks were completed, %(failed)s failed.") % {
        "completed": past.completed,
        "failed": past.failed,
    }


def duration_rows(past: History) -> list[tuple[str, float | None, float | None]]:
    names = [("wait", _("Wait in the queue"))]
    names += [(step.value, label("step", step)) for step in TIMED_STEPS]
    names.append(("run", _("Drawing in total")))
    return [(text, past.quantile(key, 0.5), past.quantile(key, 0.95)) for key, text in names]


@require_http_methods(["GET", "HEAD", "POST"])
@admin.site.admin_view
def operate(request: HttpRequest, name: str) -> HttpResponse:
    """Ask before one of ACTIONS, then do it."""
    if not request.user.has_perm(OPERATE):
        raise PermissionDenied
    action = ACTIONS.get(name)
    if action is None:
        raise Http404
    # PostgreSQL takes no NUL, also for a comparison
    target = (request.POST or request.GET).get("target", "").replace("\0", "")[:MAX_MODEL_NAME]
    if request.method == "POST":
        return carry_out(request, action, target)
    context = {
        **admin.site.each_context(request),
        "title": action.question,
        "action": action,
        "target": target,
        "target_name": name_of(target),
    }
    return render(request, "admin/operations/confirm.html", context)


def carry_out(request: HttpRequest, action: OperatorAction, target: str) -> HttpResponse:
    done = services.act(
        action.audit,
        target,
        actor=cast("User", request.user),
        address=client_address(request),
        now=clock.now(),
    )
    if done:
        messages.success(request, action.done)
    else:
        messages.warning(request, _("Nothing was changed: the page was no longer up to date."))
    return HttpResponseRedirect(reverse("operations"))


def name_of(target: str) -> str:
    """Host and process of a worker, or the model's own name."""
    return selectors.worker_name(target) or target

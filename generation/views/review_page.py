"""The review page of staff: one picture after the other, with what helps to decide about it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from generation import selectors, services
from generation.choices import ReviewState
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import NotFound
from generation.limits import MAX_REVIEW_NOTE
from generation.models import GeneratedImage, ReviewReason
from generation.selectors import MAX_COUNTED, MINE, WAITING, ReviewCounts, ReviewFilter
from generation.selectors.gallery import model_options
from generation.staff_permissions import VIEW_ALL
from generation.timeline.text import duration
from generation.views.images import file_response
from generation.views.review_filter import filter_of, key_in, query_of

View = Callable[..., HttpResponseBase]

FIRST_PICTURES = 24
"""The one that is shown, the next twenty, and some more."""

DAY = 86_400
DAYS_FROM = 2
"""From so many days on a wait is given in days."""

MAX_REASONS = 9
"""One per key."""


def for_reviewers(view: View, *, cacheable: bool = False) -> View:
    """A page of the admin for staff with the permission REVIEW."""

    @functools.wraps(view)
    def permitted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not selectors.may_review(reviewer_of(request)):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    permitted_view: View = admin.site.admin_view(permitted, cacheable)
    return permitted_view


def kept_by_browsers(view: View) -> View:
    """`for_reviewers`, with the caching that the response asks for."""
    return for_reviewers(view, cacheable=True)


def reviewer_of(request: HttpRequest) -> User:
    return cast("User", request.user)


@require_safe
@for_reviewers
def desk(request: HttpRequest) -> HttpResponseBase:
    """The page with the picture that the address names, or with the first of the queue."""
    reviewer, wanted, now = reviewer_of(request), filter_of(request), clock.now()
    page = services.claim_batch(reviewer=reviewer, wanted=wanted, most=FIRST_PICTURES, now=now)
    current = current_picture(request, page.ids, reviewer)
    if current and current.pk not in page.ids:
        page.ids.insert(0, current.pk)
    counts = selectors.review_counts(reviewer, now=now)
    items = selectors.review_items(page.ids)
    context = {
        **admin.site.each_context(request),
        "title": _("Review"),
        "is_nav_sidebar_enabled": False,
        "wanted": wanted,
        "fields": filter_fields(wanted),
        "tabs": tabs_of(wanted, counts),
        "summary": summary_of(counts, now.timestamp()),
        "hour": hour_text(counts),
        "models": model_options(),
        "items": items,
        "nothing": nothing_text(wanted, reviewer),
        "next_page": page.next and query_of(wanted, after=page.next),
        "current": current,
        "query": query_of(wanted),
        "desk_state": {
            "items": items,
            "current": current.pk if current else None,
            "claimed": wanted.is_claimed,
            # the encoder of Django would cut it to milliseconds
            "until": page.until and page.until.isoformat(),
            "query": query_of(wanted),
            "cursor": selectors.review_cursor(),
            "me": reviewer.get_username(),
            "words": words_for_script(),
        },
        **(picture_context(current, reviewer) if current else {}),
    }
    return render(request, "admin/review/desk.html", context)


def current_picture(request: HttpRequest, ids: list[int], reviewer: User) -> GeneratedImage | None:
    key = key_in(request.GET.get("picture", "")) or next(iter(ids), 0)
    try:
        return selectors.reviewable(key, reviewer) if key else None
    except NotFound:
        return None


@require_safe
@for_reviewers
def picture(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """The part of the page that is about one picture, for the script."""
    reviewer = reviewer_of(request)
    image = selectors.reviewable(image_id, reviewer)
    context = {"current": image, "query": query_of(filter_of(request))}
    context |= picture_context(image, reviewer)
    return render(request, "admin/review/_picture.html", context)


def picture_context(image: GeneratedImage, reviewer: User) -> dict[str, Any]:
    now = clock.now()
    newest = image.reviews.order_by("-version").first()
    return {
        "about": selectors.picture_review(image, reviewer, now=now),
        "reasons": ReviewReason.objects.filter(enabled=True)[:MAX_REASONS],
        "max_note": MAX_REVIEW_NOTE,
        "may_undo": newest is not None
        and newest.reviewer_id == reviewer.pk
        # that of an undo would only confuse
        and newest.state != ReviewState.UNREVIEWED
        and newest.created > now - services.UNDO_WITHIN,
        "may_view_tasks": reviewer.has_perm(VIEW_ALL),
    }


@require_safe
@kept_by_browsers
def file(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """The picture, hidden or not: reviewers need no permission to view tasks."""
    image = selectors.reviewable(image_id, reviewer_of(request))
    return file_response(request, image)


@require_safe
@kept_by_browsers
def thumbnail(request: HttpRequest, image_id: int) -> HttpResponseBase:
    image = selectors.reviewable(image_id, reviewer_of(request))
    return file_response(request, image, small=True)


def tabs_of(wanted: ReviewFilter, counts: ReviewCounts) -> list[dict[str, Any]]:
    """The states as links that keep the other filters."""
    numbers = asdict(counts)
    return [
        {
            "state": state,
            "label": label,
            "count": count_text(numbers[state]) if state in numbers else "",
            "query": query_of(wanted, state="" if state == WAITING else state, like=0),
            "is_current": state == wanted.state and not wanted.like,
        }
        for state, label in tab_labels().items()
    ]


def tab_labels() -> dict[str, str]:
    states = (ReviewState.FLAGGED, ReviewState.HIDDEN, ReviewState.APPROVED)
    decided = {state.value: str(state.label) for state in states}
    return {WAITING: _("Waiting"), **decided, MINE: _("Decided by me")}


def filter_fields(wanted: ReviewFilter) -> dict[str, Any]:
    """The values of the form's fields, as they are written in the address."""
    days = query_of(wanted)
    written = dict(pair.split("=", 1) for pair in days.split("&") if pair)
    return {
        "since": written.get("since", ""),
        "until": written.get("until", ""),
        "is_used": wanted.needs_scan,
    }


def count_text(count: int) -> str:
    return f"{MAX_COUNTED:,}+" if count > MAX_COUNTED else f"{count:,}"


def summary_of(counts: ReviewCounts, now: float) -> str:
    """How much waits, since when the oldest picture does, and how many appeals are open."""
    parts = []
    if counts.oldest is not None:
        wait = wait_text(max(0.0, now - counts.oldest.timestamp()))
        values = {"count": count_text(counts.waiting), "wait": wait}
        parts.append(_("%(count)s waiting, the oldest for %(wait)s") % values)
    if counts.appeals:
        sentence = ngettext("%(n)s open appeal", "%(n)s open appeals", counts.appeals)
        parts.append(sentence % {"n": count_text(counts.appeals)})
    return " · ".join(parts) or _("Nothing waits")


def nothing_text(wanted: ReviewFilter, reviewer: User) -> dict[str, str]:
    """What the page says where no picture is left: `title` and `text`."""
    held, until = selectors.held_by_colleagues(wanted, reviewer, now=clock.now())
    if until is not None:
        sentence = ngettext(
            "%(n)s picture is held by colleagues. What they do not decide comes here from %(time)s"
            " on.",
            "%(n)s pictures are held by colleagues. What they do not decide comes here from"
            " %(time)s on.",
            held,
        )
        time = time_format(timezone.localtime(until), "H:i")
        return {"title": _("Held by colleagues"), "text": sentence % {"n": held, "time": time}}
    return {
        "title": _("Nothing matches") if wanted.needs_scan else _("Nothing waits"),
        "text": _("New pictures appear here by themselves.") if wanted.is_claimed else "",
    }


def wait_text(seconds: float) -> str:
    days = int(seconds // DAY)
    if days < DAYS_FROM:
        return duration(seconds)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def hour_text(counts: ReviewCounts) -> str:
    values = {"mine": count_text(counts.hour_mine), "all": count_text(counts.hour_all)}
    return _("Last hour: %(mine)s by you, %(all)s by all") % values


def words_for_script() -> dict[str, str]:
    """Sentences that the script shows; `%(name)s` stands for values."""
    return {
        **{state.value: str(state.label) for state in ReviewState},
        "undo": _("Undo"),
        "undone": _("Undone: the picture is as it was before."),
        "nothingToUndo": _("There is nothing to undo."),
        "failed": _("Not stored: the studio did not answer. The picture is back."),
        "reasonMissing": str(ErrorCode.REASON_MISSING.label),
        "appeal": _("Appeal"),
        "wordsFound": _("Words found"),
        "signedOut": _("You are signed out. Sign in again in another tab, then try again."),
        "approveSelected": _("Approve %(count)s"),
        "approvedMany": _("%(count)s approved"),
        "conflicts": _("%(count)s had been decided by colleagues; they were left as they are."),
        "by": _("%(name)s: %(state)s"),
    }

"""What the review page sends: decisions, claims, and the question what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from channels.db import database_sync_to_async
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import Error as DatabaseProblem
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.client_address import client_address
from generation import selectors, services
from generation.choices import ReviewState
from generation.clock import clock
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput, NotFound, ReviewConflict, StudioError
from generation.hub import hub
from generation.limits import MAX_CLAIMED
from generation.models import Review, ReviewReason
from generation.selectors import ReviewFilter
from generation.sessions import ConnectionRejected, allows_request, session_credentials
from generation.views.json_api import error_response, json_body, json_error, json_view
from generation.views.review_filter import filter_of, key_in, moment_in, query_of
from generation.views.review_page import (
    for_reviewers,
    hour_text,
    nothing_text,
    reviewer_of,
    summary_of,
    tabs_of,
)

NEWS_WITHIN = 25.0
"""Seconds that the question for news waits; proxies cut longer ones."""

MAX_RELEASED = 2 * MAX_CLAIMED
"""A page asks for more while some wait."""

GATHER = 0.5
"""Seconds in which several changes become one answer."""


@require_POST
@for_reviewers
@json_view
def decide(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """Store a decision: of the script as JSON, of the form with a redirect to the next picture."""
    if request.content_type != "application/json":
        return decide_by_form(request, image_id)
    try:
        review = stored_decision(request, image_id, json_body(request))
    except ReviewConflict as conflict:
        return conflict_response(conflict)
    return JsonResponse(outcome_of(review))


def decide_by_form(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """`hide`: the key of a reason, or `note`, in the place of a state."""
    fields: dict[str, Any] = {**request.POST.dict()}
    if hide := fields.pop("hide", ""):
        fields |= {"state": ReviewState.HIDDEN.value, "reason": key_in(hide)}
    fields["version"] = key_in(fields.get("version", ""))
    try:
        review = stored_decision(request, image_id, fields)
    except StudioError as error:
        messages.warning(request, refusal_text(error))
    else:
        messages.info(request, ReviewState(review.state).label)
    return redirect(f"{reverse('review')}?{query_of(filter_of(request))}")


def stored_decision(request: HttpRequest, image_id: int, fields: Mapping[str, Any]) -> Review:
    note, version = fields.get("note", ""), fields.get("version")
    if not isinstance(note, str) or not isinstance(version, int):
        raise InvalidInput(ErrorCode.BAD_MESSAGE)
    return services.decide(
        reviewer=reviewer_of(request),
        image_id=image_id,
        version=version,
        state=state_of(fields.get("state")),
        reason=reason_of(fields.get("reason")),
        note=note,
        now=clock.now(),
        address=client_address(request),
    )


def state_of(text: Any) -> ReviewState:
    try:
        return ReviewState(text)
    except ValueError as error:
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "state") from error


def reason_of(key: Any) -> ReviewReason | None:
    """The preset with this key, also one that was disabled meanwhile; None for no key."""
    if not key:
        return None
    if not isinstance(key, int) or isinstance(key, bool):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "reason")
    reason = ReviewReason.objects.filter(pk=key).first()
    if reason is None:
        raise InvalidInput(ErrorCode.REASON_MISSING, "reason")
    return reason


@require_POST
@for_reviewers
@json_view
def undo(request: HttpRequest, image_id: int) -> HttpResponseBase:
    if request.content_type == "application/json":
        version = json_body(request).get("version")
        if not isinstance(version, int):
            raise InvalidInput(ErrorCode.BAD_MESSAGE, "version")
        try:
            return JsonResponse(outcome_of(undone(request, image_id, version)))
        except ReviewConflict as conflict:
            return conflict_response(conflict)
    try:
        undone(request, image_id, key_in(request.POST.get("version", "")))
    except StudioError as error:
        messages.warning(request, refusal_text(error))
    else:
        messages.info(request, _("Undone: the picture is as it was before."))
    query = query_of(filter_of(request), picture=image_id)
    return redirect(f"{reverse('review')}?{query}")


def undone(request: HttpRequest, image_id: int, version: int) -> Review:
    return services.undo(
        reviewer=reviewer_of(request),
        image_id=image_id,
        version=version,
        now=clock.now(),
        address=client_address(request),
    )


@require_POST
@for_reviewers
@json_view
def approve(request: HttpRequest) -> HttpResponseBase:
    """Approve several pictures, each for itself: `[[id, version], …]`."""
    outcomes = []
    for image_id, version in pairs_of(json_body(request).get("pictures")):
        fields = {"state": ReviewState.APPROVED.value, "version": version}
        try:
            outcomes.append(outcome_of(stored_decision(request, image_id, fields)))
        except ReviewConflict as conflict:
            outcomes.append({"id": image_id, **conflict_data(conflict)})
        except StudioError as error:
            outcomes.append({"id": image_id, "code": error.code.value})
    return JsonResponse({"pictures": outcomes})


def pairs_of(value: Any) -> list[tuple[int, int]]:
    """Pairs of integers; raises InvalidInput."""
    is_list = isinstance(value, list) and len(value) <= MAX_CLAIMED
    pairs = [tuple(each) for each in value if isinstance(each, list)] if is_list else []
    if not pairs or len(pairs) != len(value):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "pictures")
    if not all(len(pair) == 2 and all(type(each) is int for each in pair) for pair in pairs):
        raise InvalidInput(ErrorCode.BAD_MESSAGE, "pictures")
    return cast("list[tuple[int, int]]", pairs)


@require_safe
@for_reviewers
@json_view
def next_pictures(request: HttpRequest) -> HttpResponseBase:
    """The next pictures of the filter, which the reviewer now holds."""
    most = min(key_in(request.GET.get("most", "")) or 1, MAX_CLAIMED)
    reviewer, wanted = reviewer_of(request), filter_of(request)
    page = services.claim_batch(reviewer=reviewer, wanted=wanted, most=most, now=clock.now())
    items = selectors.review_items(page.ids)
    until = page.until and page.until.isoformat()
    nothing = None if items else nothing_text(wanted, reviewer)
    return JsonResponse({"items": items, "next": page.next, "until": until, "nothing": nothing})


@require_POST
@for_reviewers
@json_view
def release(request: HttpRequest) -> HttpResponseBase:
    """Return `pictures` that the reviewer holds to the queue; sent when the page is left.

    `until`: as the page received it last.
    """
    keys = [key_in(text) for text in request.POST.get("pictures", "").split(",", MAX_RELEASED)]
    until = moment_in(request.POST.get("until", ""))
    if until is not None:
        services.release_claims(
            reviewer=reviewer_of(request), image_ids=keys[:MAX_RELEASED], until=until
        )
    return JsonResponse({})


@require_GET
async def news(request: HttpRequest) -> HttpResponseBase:
    """Decisions and counts, once there is something newer than the cursor, within NEWS_WITHIN.

    Reads after it has joined the group, so that nothing falls between.
    """
    credentials = session_credentials(request.COOKIES, address=client_address(request))
    known = (key_in(request.GET.get("review", "")), key_in(request.GET.get("picture", "")))
    try:
        user = (await credentials.sign_in()).user
        if not allows_request(user.pk):
            return json_error(ErrorCode.FLOODING, 429)
        if not await database_sync_to_async(is_reviewer)(user):
            return json_error(ErrorCode.NOT_FOUND, 404)
        async with hub.review_updates.waiter(user.pk, known, hub.groups) as changed:
            cursor = await database_sync_to_async(selectors.review_cursor)()
            if cursor == known and not hub.leaving:
                await wait_for(changed)
            # meanwhile the session may have ended, or the permission been taken
            user = (await credentials.sign_in()).user
            if not await database_sync_to_async(is_reviewer)(user):
                return json_error(ErrorCode.NOT_FOUND, 404)
            return JsonResponse(await database_sync_to_async(news_of)(user, known[0]))
    except ConnectionRejected:
        return json_error(ErrorCode.NOT_SIGNED_IN, 403)
    except DatabaseProblem as error:
        return error_response(request, error)


async def wait_for(changed: asyncio.Event) -> None:
    """Return GATHER seconds after the event, or after NEWS_WITHIN."""
    try:
        async with asyncio.timeout(NEWS_WITHIN):
            await changed.wait()
            await asyncio.sleep(GATHER)
    except TimeoutError:
        return


def is_reviewer(user: User) -> bool:
    return user.is_staff and selectors.may_review(user)


def news_of(user: User, after: int) -> dict[str, Any]:
    # the cursor first: what is committed meanwhile is read again
    cursor, now = selectors.review_cursor(), clock.now()
    counts = selectors.review_counts(user, now=now)
    return {
        "cursor": cursor,
        "counts": {each["state"]: each["count"] for each in tabs_of(ReviewFilter(), counts)},
        "summary": summary_of(counts, now.timestamp()),
        "hour": hour_text(counts),
        "reviews": [news_item(review) for review in selectors.reviews_after(after)],
    }


def news_item(review: Review) -> dict[str, Any]:
    return {
        "review": review.pk,
        "id": review.image_id,
        "version": review.version,
        "state": review.state,
        "by": review.reviewer_name,
        "at": round(review.created.timestamp()),
    }


def outcome_of(review: Review) -> dict[str, Any]:
    return {"id": review.image_id, "version": review.version, "state": review.state}


def conflict_response(conflict: ReviewConflict) -> JsonResponse:
    return JsonResponse({**conflict_data(conflict), "message": refusal_text(conflict)}, status=409)


def conflict_data(conflict: ReviewConflict) -> dict[str, Any]:
    return {
        "code": conflict.code.value,
        "state": conflict.state,
        "version": conflict.version,
        "by": conflict.reviewer_name,
    }


def refusal_text(error: StudioError) -> str:
    """What a reviewer without scripts reads."""
    if isinstance(error, ReviewConflict):
        values = {
            "name": error.reviewer_name or _("A rule"),
            "state": ReviewState(error.state).label,
        }
        return _("Decided first by %(name)s: %(state)s. Your decision was not stored.") % values
    if isinstance(error, NotFound):
        return pgettext("pictures", "This picture does not exist any more.")
    return str(error.code.label)

"""What each role gets: from each address, API operation and socket action.

The walk is `test_ownership.py`. The same table is in docs/security.md; after a change write it
there with `python -m tests.security.ownership`.

The task, pictures, links, tokens and passkeys that a row is about belong to the owner. A role that
may not know of them gets the same response for ids that do not exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ID = re.compile(r"task_id|[<:]pk>|\{\w+\}")

ADDRESS = re.compile(r"/\?|(?<=<)\w+:|\(\?P|(?<=>)[^/-]*\)|[\^$]")
"""What a reader of a pattern does not need."""

Outcome = int | str
"""A status, or SIGN_IN: a redirect to the sign-in page; of a socket what it sends first."""

SIGN_IN = "sign in"
HELP = (
    "Add to tests/security/ownership.py what each role gets from these addresses. "
    "Then run `python -m tests.security.ownership`."
)
SECURITY_PAGE = Path(__file__).resolve().parents[2] / "docs/security.md"
BEGIN, END = "<!-- ownership -->\n", "<!-- end of ownership -->\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What each role gets. The last two send an API token, all others of pages a session."""

    owner: Outcome
    other: Outcome
    anonymous: Outcome
    disabled: Outcome
    staff: Outcome
    """Without permissions."""
    reviewer: Outcome
    """Staff that may view all tasks and decide about all pictures."""
    operator: Outcome
    """Staff that may also change them and operate the studio."""
    superuser: Outcome
    expired: Outcome
    """A token of the owner that has expired."""
    reader: Outcome
    """A token of the owner that may read."""

    def by_role(self) -> dict[str, Outcome]:
        return {role: getattr(self, role) for role in ROLES}


ROLES: tuple[str, ...] = tuple(Outcomes.__dataclass_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`address`: the pattern of the URL, `*` for any part; or the action of the socket."""

    method: str
    address: str
    outcomes: Outcomes
    path: str = ""
    """A path of the address if its pattern does not say it."""
    body: Any = None
    """Of requests. In it and in `path`, {task} and the like are replaced by what the owner has."""
    is_form: bool = False

    def names_something(self, address: str) -> bool:
        """Whether a request names something that the owner alone has, by its id."""
        named = f"{address} {self.path} {self.body}"
        is_shared = "<slug:token>" in address or "{invitation}" in named
        return not is_shared and not address.startswith("admin/") and bool(ID.search(named))


def signed_in(outcome: Outcome, *, otherwise: Outcome = SIGN_IN, **roles: Outcome) -> Outcomes:
    """All signed-in users get `outcome`, for what is their own; tokens do not sign in."""
    unsigned = ("anonymous", "disabled", "expired", "reader")
    every = {role: otherwise if role in unsigned else outcome for role in ROLES}
    return Outcomes(**{**every, **roles})


def public(outcome: Outcome, **roles: Outcome) -> Outcomes:
    return Outcomes(**{**dict.fromkeys(ROLES, outcome), **roles})


def owned(outcome: Outcome, *, otherwise: Outcome = SIGN_IN, **roles: Outcome) -> Outcomes:
    """Only the owner gets `outcome`."""
    return signed_in(404, otherwise=otherwise, **{"owner": outcome, **roles})


def visible(outcome: Outcome, *, otherwise: Outcome = SIGN_IN, **roles: Outcome) -> Outcomes:
    """The owner and those that may view all tasks get `outcome`."""
    staff = dict.fromkeys(("reviewer", "operator", "superuser"), outcome)
    return owned(outcome, otherwise=otherwise, **{**staff, **roles})


def admin(reviewer: Outcome, operator: Outcome, superuser: Outcome, **roles: Outcome) -> Outcomes:
    """Pages of the admin; all but staff are sent away."""
    users = {"owner": SIGN_IN, "other": SIGN_IN, "reviewer": reviewer, "operator": operator}
    return signed_in(403, **{**users, "superuser": superuser, **roles})


def program(outcome: Outcome, **roles: Outcome) -> Outcomes:
    """Operations of the API; every role sends a token but `anonymous`."""
    refused = {"anonymous": 401, "disabled": 403, "expired": 401}
    return Outcomes(**{**dict.fromkeys(ROLES, outcome), **refused, **roles})


def of_owner(outcome: Outcome, **roles: Outcome) -> Outcomes:
    """Only the owner may, with a token that may change."""
    refused = dict.fromkeys(("other", "staff", "reviewer", "operator", "superuser"), 404)
    return program(outcome, **{**refused, "reader": 403, **roles})


def of_changeable(outcome: Outcome) -> Outcomes:
    """The owner and those that may change all tasks."""
    return of_owner(outcome, operator=outcome, superuser=outcome)


def of_visible(outcome: Outcome) -> Outcomes:
    """The owner and those that may view all tasks."""
    return program(outcome, other=404, staff=404)


TASK = ["{task}:1"]
JSON = 403
"""What scripts of a page get without a session."""

NOTICE = "pictures/<uuid:task_id>/<int:index>/notice/"

PAGES = (
    Row(method="GET", address="", outcomes=signed_in(200)),
    Row(method="GET", address="", path="/?from={task}:1", outcomes=signed_in(200)),
    Row(method="GET", address="tasks/<uuid:task_id>/", outcomes=visible(200)),
    Row(method="GET", address="tasks/<uuid:task_id>/timeline/", outcomes=visible(200)),
    Row(
        method="GET",
        address="pictures/<uuid:task_id>/<int:index>/",
        outcomes=visible(200, expired=401, reader=200),
    ),
    Row(
        method="GET",
        address="pictures/<uuid:task_id>/<int:index>/thumbnail/",
        outcomes=visible(200, expired=401, reader=200),
    ),
    Row(
        method="GET",
        address="pictures/<uuid:task_id>/<int:index>/about/",
        outcomes=visible(200, otherwise=JSON),
    ),
    Row(
        method="GET",
        address=NOTICE,
        path="/pictures/{hidden}/1/notice/",
        outcomes=owned(200),
    ),
    Row(
        method="POST",
        address=NOTICE,
        path="/pictures/{hidden}/1/notice/",
        body={"text": "It is a statue."},
        is_form=True,
        outcomes=owned(302),
    ),
    Row(
        method="GET",
        address="cards/",
        path="/cards/?task={task}",
        outcomes=signed_in(200, otherwise=JSON),
    ),
    Row(
        method="GET",
        address="cards/",
        path="/cards/?before={task}",
        outcomes=signed_in(200, otherwise=JSON),
    ),
    Row(
        method="POST",
        address="collection/",
        body={"tasks": ["{task}"]},
        outcomes=signed_in(200, otherwise=JSON),
    ),
    Row(method="GET", address="gallery/", outcomes=signed_in(200)),
    Row(
        method="POST",
        address="gallery/favourite/",
        body={"pictures": TASK, "favourite": True},
        outcomes=owned(200, otherwise=JSON),
    ),
    Row(
        method="POST",
        address="gallery/delete/",
        body={"pictures": TASK},
        outcomes=owned(200, otherwise=JSON),
    ),
    Row(
        method="POST",
        address="gallery/restore/",
        body={"tasks": ["{trashed}"], "pictures": []},
        outcomes=owned(200, otherwise=JSON),
    ),
    Row(
        method="POST",
        address="gallery/zip/",
        body={"pictures": TASK},
        is_form=True,
        outcomes=owned(200),
    ),
    Row(method="GET", address="trash/", outcomes=signed_in(200)),
    Row(
        method="POST",
        address="trash/change/",
        body={"action": "delete", "tasks": ["{trashed}"]},
        is_form=True,
        outcomes=signed_in(302),
    ),
    Row(
        method="GET",
        address="trash/<uuid:task_id>/<int:index>/thumbnail/",
        path="/trash/{half_trashed}/1/thumbnail/",
        outcomes=owned(200),
    ),
    Row(
        method="GET",
        address="compare/",
        path="/compare/?picture={task}:1&picture={half_trashed}:2",
        outcomes=owned(200),
    ),
    Row(
        method="POST",
        address="tasks/<uuid:task_id>/share/",
        outcomes=owned(200, otherwise=JSON),
    ),
    Row(
        method="DELETE",
        address="tasks/<uuid:task_id>/share/",
        outcomes=owned(200, otherwise=JSON),
    ),
    Row(method="GET", address="shared/<slug:token>/", outcomes=public(200, disabled=404)),
    Row(
        method="GET", address="shared/<slug:token>/<int:index>/", outcomes=public(200, disabled=404)
    ),
    Row(
        method="GET",
        address="shared/<slug:token>/<int:index>/thumbnail/",
        outcomes=public(200, disabled=404),
    ),
    Row(method="POST", address="i18n/setlang/", outcomes=public(302)),
    Row(method="GET", address="i18n/catalog.js", outcomes=public(200)),
    Row(method="GET", address="healthz", outcomes=public(200)),
    # for an address or a key, not for a role; the test asks from this machine
    Row(method="GET", address="metrics", outcomes=public(200)),
    # the test has no worker that lives
    Row(method="GET", address="readyz", outcomes=public(200)),
    # for manage.py doctor, which signs its request
    Row(method="GET", address="healthz/proxy", outcomes=public(404)),
)

CONTINUES_ELSEWHERE = signed_in(302)
"""Without the first half of what it is about, the page redirects."""

OWN_WEBHOOK = "accounts/webhooks/<uuid:webhook_id>/"
ACCOUNT = (
    Row(method="GET", address="accounts/", outcomes=signed_in(200)),
    Row(method="GET", address="accounts/profile/", outcomes=signed_in(200)),
    Row(method="POST", address="accounts/profile/", outcomes=signed_in(200)),
    Row(
        method="POST",
        address="accounts/theme/",
        body={"theme": "dark"},
        is_form=True,
        outcomes=signed_in(204),
    ),
    Row(method="GET", address="accounts/limits/", outcomes=signed_in(200)),
    Row(method="GET", address="accounts/data/", outcomes=signed_in(200)),
    Row(method="POST", address="accounts/data/export/", outcomes=signed_in(200)),
    Row(
        method="POST",
        address="accounts/data/delete/",
        outcomes=signed_in(302, superuser=409),
    ),
    Row(method="POST", address="accounts/data/keep/", outcomes=signed_in(302)),
    Row(method="GET", address="accounts/programs/", outcomes=signed_in(200)),
    Row(method="GET", address="accounts/programs/new/", outcomes=signed_in(200)),
    Row(
        method="POST",
        address="accounts/programs/<int:number>/revoke/",
        path="/accounts/programs/{token}/revoke/",
        outcomes=signed_in(302),
    ),
    Row(method="GET", address="accounts/webhooks/", outcomes=signed_in(200)),
    Row(method="GET", address="accounts/webhooks/new/", outcomes=signed_in(200)),
    Row(
        method="POST",
        address="accounts/webhooks/new/",
        body={"url": "https://hooks.example/"},
        is_form=True,
        outcomes=signed_in(302),
    ),
    Row(method="GET", address=OWN_WEBHOOK, outcomes=owned(200)),
    Row(method="GET", address=f"{OWN_WEBHOOK}edit/", outcomes=owned(200)),
    Row(
        method="POST",
        address=f"{OWN_WEBHOOK}edit/",
        body={"url": "https://hooks.example/"},
        is_form=True,
        outcomes=owned(302),
    ),
    *(
        Row(method="POST", address=f"{OWN_WEBHOOK}{action}/", outcomes=owned(302))
        for action in ("test", "switch", "delete", "deliveries/<int:delivery_id>/resend")
    ),
    Row(method="GET", address="accounts/login/", outcomes=public(SIGN_IN)),
    Row(method="GET", address="accounts/logout/", outcomes=public(302)),
    Row(method="GET", address="accounts/sign-in/", outcomes=signed_in(302, otherwise=200)),
    Row(method="POST", address="accounts/sign-out/", outcomes=public(SIGN_IN)),
    Row(method="GET", address="accounts/inactive/", outcomes=public(200)),
    Row(method="GET", address="accounts/signup/", outcomes=signed_in(302, otherwise=200)),
    Row(method="POST", address="accounts/signup/", outcomes=signed_in(302, otherwise=200)),
    Row(
        method="GET",
        address="accounts/invite/<slug:token>/",
        path="/accounts/invite/{invitation}/",
        outcomes=public(302),
    ),
    Row(method="GET", address="accounts/password/change/", outcomes=signed_in(200)),
    Row(method="GET", address="accounts/password/set/", outcomes=signed_in(302)),
    Row(method="GET", address="accounts/password/reset/", outcomes=public(200)),
    Row(method="GET", address="accounts/password/reset/done/", outcomes=public(200)),
    Row(
        method="GET",
        address=r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        path="/accounts/password/reset/key/1-wrong/",
        outcomes=public(200),
    ),
    Row(method="GET", address="accounts/password/reset/key/done/", outcomes=public(200)),
    Row(method="GET", address="accounts/email/", outcomes=public(302)),
    Row(method="GET", address="accounts/confirm-email/", outcomes=public(200)),
    Row(
        method="GET",
        address=r"accounts/^confirm-email/(?P<key>[-:\w]+)/$",
        path="/accounts/confirm-email/wrong/",
        outcomes=public(200),
    ),
    Row(method="GET", address="accounts/login/code/confirm/", outcomes=CONTINUES_ELSEWHERE),
    Row(method="GET", address="accounts/reauthenticate/", outcomes=signed_in(200)),
    # codes are sent by mail, which the test has not
    Row(method="GET", address="accounts/reauthenticate/code/", outcomes=signed_in(403)),
    Row(method="GET", address="accounts/reauthenticate/code/confirm/", outcomes=signed_in(403)),
    Row(method="GET", address="accounts/sessions/", outcomes=signed_in(200)),
    Row(
        method="POST",
        address="accounts/sessions/",
        body={"session": "{session}"},
        is_form=True,
        outcomes=signed_in(302),
    ),
    Row(method="GET", address="accounts/2fa/", outcomes=signed_in(200)),
    Row(method="GET", address="accounts/2fa/authenticate/", outcomes=CONTINUES_ELSEWHERE),
    Row(method="GET", address="accounts/2fa/reauthenticate/", outcomes=signed_in(302)),
    Row(method="GET", address="accounts/2fa/totp/activate/", outcomes=signed_in(200)),
    Row(method="GET", address="accounts/2fa/totp/deactivate/", outcomes=signed_in(404)),
    Row(method="GET", address="accounts/2fa/recovery-codes/", outcomes=signed_in(404)),
    Row(method="GET", address="accounts/2fa/recovery-codes/generate/", outcomes=signed_in(200)),
    Row(method="GET", address="accounts/2fa/recovery-codes/download/", outcomes=signed_in(404)),
    Row(method="GET", address="accounts/2fa/webauthn/", outcomes=signed_in(200)),
    Row(method="GET", address="accounts/2fa/webauthn/add/", outcomes=signed_in(200)),
    Row(
        method="GET",
        address="accounts/2fa/webauthn/reauthenticate/",
        outcomes=signed_in(302, owner=200),
    ),
    Row(
        method="GET",
        address="accounts/2fa/webauthn/keys/<int:pk>/remove/",
        outcomes=owned(200),
    ),
    Row(
        method="POST",
        address="accounts/2fa/webauthn/keys/<int:pk>/remove/",
        outcomes=owned(302),
    ),
    Row(method="GET", address="accounts/2fa/webauthn/keys/<int:pk>/edit/", outcomes=owned(200)),
    Row(
        method="POST",
        address="accounts/2fa/webauthn/keys/<int:pk>/edit/",
        body={"name": "mine"},
        is_form=True,
        outcomes=owned(302),
    ),
    Row(
        method="GET",
        address="accounts/2fa/webauthn/login/",
        outcomes=signed_in(302),
    ),
)

STAFF = admin(200, 200, 200, staff=200)
SUPERUSERS = admin(403, 403, 200)
OPERATORS = admin(403, 200, 200)
TASKS = admin(200, 200, 200)
REVIEWERS = admin(200, 403, 200)
NEVER = admin(403, 403, 403)
"""Rows that only the studio writes."""

ADMIN = (
    Row(
        method="GET",
        address="admin/login/",
        outcomes=signed_in(302, owner=403, other=403),
    ),
    Row(method="POST", address="admin/logout/", outcomes=public(SIGN_IN)),
    Row(method="GET", address="admin/password_change/", outcomes=public(302)),
    Row(method="GET", address="admin/", outcomes=STAFF),
    Row(
        method="GET",
        address="admin/password_change/done/",
        outcomes=STAFF,
    ),
    Row(method="GET", address="admin/jsi18n/", outcomes=STAFF),
    Row(method="GET", address="admin/autocomplete/", outcomes=NEVER),
    Row(
        method="GET",
        address="admin/r/<path:content_type_id>/<path:object_id>/",
        path="/admin/r/{content_type}/{task}/",
        outcomes=admin(404, 404, 404, staff=404),
    ),
    Row(
        method="GET",
        address="admin/^(?P<app_label>*)/$",
        path="/admin/generation/",
        outcomes=admin(200, 200, 200, staff=404),
    ),
    Row(
        method="GET",
        address="admin/(?P<url>.*)$",
        path="/admin/nothing",
        outcomes=admin(404, 404, 404, staff=404),
    ),
    Row(
        method="GET",
        address="admin/*/*/<path:object_id>/",
        outcomes=admin(302, 302, 302, staff=302),
    ),
    Row(method="GET", address="admin/review/", outcomes=REVIEWERS),
    Row(method="GET", address="admin/review/next/", outcomes=REVIEWERS),
    *(
        Row(method="GET", address=f"admin/review/<int:image_id>/{part}", outcomes=REVIEWERS)
        for part in ("", "file/", "thumbnail/")
    ),
    *(
        Row(
            method="POST",
            address=f"admin/review/{part}/",
            body={"version": 0, "state": "approved", "pictures": [["{image}"]]},
            outcomes=admin(outcome, 403, outcome),
        )
        for part, outcome in (
            # the second has nothing to undo, the third a list that cannot be read
            *(("<int:image_id>/decide", 200), ("<int:image_id>/undo", 403)),
            *(("approve", 400), ("release", 200)),
        )
    ),
    *(
        Row(method="GET", address=f"admin/generation/review/{page}", outcomes=REVIEWERS)
        for page in ("", "<path:object_id>/change/", "<path:object_id>/history/")
    ),
    Row(
        method="POST",
        address="admin/generation/auditentry/export/<str:kind>/",
        path="/admin/generation/auditentry/export/xml/",
        outcomes=admin(403, 403, 404),
    ),
    Row(method="GET", address="admin/operations/", outcomes=TASKS),
    *(
        Row(
            method=method,
            address="admin/operations/<slug:name>/",
            path="/admin/operations/resume/",
            outcomes=admin(403, outcome, outcome),
        )
        for method, outcome in (("GET", 200), ("POST", 302))
    ),
    Row(method="GET", address="admin/generation/generationtask/", outcomes=TASKS),
    Row(
        method="GET",
        address="admin/generation/generationtask/<path:object_id>/change/",
        outcomes=TASKS,
    ),
    Row(
        method="GET",
        address="admin/generation/generationtask/<path:object_id>/history/",
        outcomes=TASKS,
    ),
    Row(
        method="POST",
        address="admin/generation/generationtask/<uuid:task_id>/act/<str:act>/",
        path="/admin/generation/generationtask/{task}/act/cancel/",
        outcomes=admin(403, 302, 302),
    ),
    Row(
        method="GET",
        address="admin/generation/generationtask/<uuid:task_id>/newest/",
        path="/admin/generation/generationtask/{task}/newest/",
        outcomes=TASKS,
    ),
    Row(
        method="POST",
        address="admin/generation/generationtask/export/<str:kind>/",
        path="/admin/generation/generationtask/export/csv/",
        outcomes=TASKS,
    ),
    Row(
        method="POST",
        address="admin/generation/generationtask/views/save/",
        outcomes=admin(302, 302, 302),
    ),
    Row(
        method="POST",
        address="admin/generation/generationtask/views/<int:view_id>/delete/",
        path="/admin/generation/generationtask/views/1/delete/",
        outcomes=admin(404, 404, 404),
    ),
    Row(method="GET", address="admin/generation/generationtask/*", outcomes=NEVER),
    Row(method="GET", address="admin/generation/sharelink/", outcomes=TASKS),
    Row(
        method="GET", address="admin/generation/sharelink/<path:object_id>/change/", outcomes=TASKS
    ),
    Row(
        method="GET", address="admin/generation/sharelink/<path:object_id>/history/", outcomes=TASKS
    ),
    Row(method="GET", address="admin/generation/limitoverride/*", outcomes=SUPERUSERS),
    Row(method="GET", address="admin/generation/retentionrule/*", outcomes=SUPERUSERS),
    *(
        Row(method="GET", address=f"admin/generation/{model}/{page}", outcomes=OPERATORS)
        for model in ("incident", "prunerun")
        for page in ("", "<path:object_id>/change/", "<path:object_id>/history/")
    ),
    *(
        Row(method="GET", address=f"admin/generation/modelserver/{page}", outcomes=OPERATORS)
        for page in ("", "add/", "<path:object_id>/change/", "<path:object_id>/history/")
    ),
    # the settings name the server of the test
    Row(
        method="GET",
        address="admin/generation/modelserver/<path:object_id>/delete/",
        outcomes=NEVER,
    ),
    *(
        Row(method="GET", address=f"admin/generation/{model}/{page}", outcomes=NEVER)
        for model in (
            *("worker", "modelstate", "modelslot", "webhookendpoint", "webhookattempt"),
            *("incident", "prunerun", "review", "auditentry"),
        )
        for page in ("add/", "<path:object_id>/delete/")
    ),
    *(
        Row(
            method="GET",
            address=f"admin/generation/incident/{page}",
            outcomes=admin(403, 200, 200),
        )
        for page in ("", "<path:object_id>/change/", "<path:object_id>/history/")
    ),
    *(
        Row(method="GET", address=f"admin/{model}/add/", outcomes=NEVER)
        for model in (
            "generation/sharelink",
            "accounts/apitoken",
            "mfa/authenticator",
            "account/emailaddress",
            "usersessions/usersession",
        )
    ),
    Row(method="GET", address="admin/*/*/*", outcomes=SUPERUSERS),
)


def operation(
    method: str, address: str, outcomes: Outcomes, *, task: str = "{task}", body: Any = None
) -> Row:
    path = f"/{address}".replace("{task_id}", task).replace("^mcp/?$", "mcp")
    return Row(method=method, address=address, path=path, outcomes=outcomes, body=body)


ABOUT = "api/v1/tasks/{task_id}"
PICTURE = f"{ABOUT}/pictures/{{index}}"
WEBHOOK = "api/v1/webhooks/{webhook_id}"
RECEIVER = "https://hooks.example/"
API = (
    operation("GET", "api/v1/", public(404)),
    operation("GET", "api/v1/openapi.json", public(200)),
    operation("GET", "api/v1/docs", public(200)),
    operation("GET", "api/v1/me", program(200)),
    operation("GET", "api/v1/models", program(200)),
    operation("GET", "api/v1/tasks", program(200)),
    operation("POST", "api/v1/tasks", program(201, reader=403), body={"prompt": "LiuJuan"}),
    operation("GET", ABOUT, of_visible(200)),
    operation("DELETE", ABOUT, of_owner(204)),
    operation("POST", f"{ABOUT}/cancel", of_changeable(200), task="{queued}"),
    operation("POST", f"{ABOUT}/retry", of_changeable(201), task="{failed}"),
    operation("POST", f"{ABOUT}/restore", of_owner(200), task="{trashed}"),
    operation("POST", f"{ABOUT}/share-links", of_owner(201)),
    operation("DELETE", f"{ABOUT}/share-links", of_owner(204)),
    operation("GET", f"{ABOUT}/events", of_visible(200)),
    operation("GET", f"{ABOUT}/stream", of_visible(200)),
    operation("GET", PICTURE, of_visible(200)),
    operation("DELETE", PICTURE, of_owner(204)),
    operation("POST", f"{PICTURE}/restore", of_owner(204), task="{half_trashed}"),
    operation(
        "POST",
        f"{PICTURE}/appeal",
        of_owner(201),
        task="{hidden}",
        body={"text": "It is a statue."},
    ),
    operation("GET", "api/v1/webhooks", program(200)),
    operation("POST", "api/v1/webhooks", program(201, reader=403), body={"url": RECEIVER}),
    operation("GET", WEBHOOK, of_owner(200, reader=200)),
    operation("PATCH", WEBHOOK, of_owner(200), body={"enabled": False}),
    operation("DELETE", WEBHOOK, of_owner(204)),
    operation("POST", f"{WEBHOOK}/test", of_owner(202)),
    operation("GET", f"{WEBHOOK}/deliveries", of_owner(200, reader=200)),
    operation("POST", f"{WEBHOOK}/deliveries/{{delivery_id}}/resend", of_owner(202)),
    operation("PUT", f"{PICTURE}/favourite", of_owner(200), body={"favourite": True}),
    operation("GET", "api/v1/openai/models", program(200)),
    operation("GET", "v1/models", program(200)),
    # refused for what it says: a good one waits until it is drawn
    operation("POST", "api/v1/openai/images/generations", program(400, reader=403), body={}),
    operation("POST", "v1/images/generations", program(400, reader=403), body={}),
    # what it takes are the calls of MCP below
    operation("GET", "^mcp/?$", public(405)),
)

CLOSED = {"anonymous": "closed 4401", "disabled": "closed 4403", "expired": "closed 4401"}


def action(name: str, answer: str, *, task: str = "", **roles: Outcome) -> Row:
    """What the socket answers first; other users may do it with what is their own."""
    outcomes = Outcomes(**{**dict.fromkeys(ROLES, answer), **CLOSED, **roles})
    about = {"task_id": task} if task else {"prompt": "LiuJuan"} if name == "generate" else {}
    body = {"action": name, **about}
    return Row(method="SOCKET", address=name, body=body, outcomes=outcomes)


UNSEEN = dict.fromkeys(("other", "staff"), "not_found")
UNCHANGED = {**UNSEEN, "reviewer": "not_found", "reader": "scope_missing"}
SOCKET = (
    action("ping", "pong"),
    action("generate", "ack", reader="scope_missing"),
    action("attach", "live", task="{task}", **UNSEEN),
    # without an answer of its own: that of the ping behind it
    action("detach", "pong", task="{task}", **UNSEEN),
    action("cancel", "answer", task="{queued}", **UNCHANGED),
    action("retry", "ack", task="{failed}", **UNCHANGED),
)


def tool(name: str, arguments: dict[str, Any], **roles: Outcome) -> Row:
    """What a call of a tool at /mcp answers."""
    return Row(method="MCP", address=name, body=arguments, outcomes=program("result", **roles))


MCP = (
    tool("draw", {"prompt": "LiuJuan", "wait": 0}, reader="scope_missing"),
    tool("status", {"task_id": "{task}"}, **UNSEEN),
    tool("cancel", {"task_id": "{queued}"}, **UNCHANGED),
    tool("pictures", {}),
)

TRANSPORTS = (
    Row(
        method="GET",
        address="events/",
        outcomes=signed_in("hello", otherwise="closed 4401", disabled="closed 4403"),
    ),
    Row(method="GET", address="events/poll/", outcomes=signed_in(200, otherwise=JSON)),
    Row(
        method="POST",
        address="messages/",
        body={"action": "cancel", "task_id": "{queued}"},
        outcomes=signed_in(200, otherwise=JSON),
    ),
    Row(
        method="GET",
        address="admin/review/news/",
        outcomes=signed_in(404, otherwise=JSON, reviewer=200, superuser=200),
    ),
)
"""What is served within the event loop, for sessions: most carry the actions of the socket."""

OIDC = (
    Row(
        method="POST",
        address="accounts/oidc/*/login/",
        path="/accounts/oidc/provider/login/",
        outcomes=public(200),
    ),
    Row(
        method="GET",
        address="accounts/oidc/*/login/callback/",
        path="/accounts/oidc/provider/login/callback/",
        outcomes=public(400),
    ),
    Row(method="GET", address="accounts/3rdparty/", outcomes=signed_in(200)),
    Row(method="GET", address="accounts/3rdparty/signup/", outcomes=public(404)),
    Row(method="GET", address="accounts/3rdparty/login/cancelled/", outcomes=public(404)),
    Row(method="GET", address="accounts/3rdparty/login/error/", outcomes=public(404)),
    Row(
        method="GET",
        address="accounts/social/*",
        path="/accounts/social/signup/",
        outcomes=public(404),
    ),
    Row(method="GET", address="admin/socialaccount/socialaccount/add/", outcomes=NEVER),
)
"""Further addresses with OIDC_SERVER. tests/process/test_openid_provider.py sends the requests."""

ROWS = (*PAGES, *TRANSPORTS, *ACCOUNT, *ADMIN, *API, *SOCKET, *MCP)


def table() -> str:
    """The rows as in docs/security.md."""
    head = ("request", *(role.replace("reader", "read-only").replace("_", " ") for role in ROLES))
    lines = [head, ("---",) * len(head)]
    for row in (*ROWS, *OIDC):
        address = row.path if "?" in row.path else ADDRESS.sub("", row.address)
        name = row.address if row.method in ("SOCKET", "MCP") else f"/{address.removeprefix('/')}"
        request = "`{} {}`".format(row.method, name.replace("|", "\\|"))
        lines.append((request, *map(str, row.outcomes.by_role().values())))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def page_with_table(page: str) -> str:
    before, _begin, rest = page.partition(BEGIN)
    _table, _end, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    SECURITY_PAGE.write_text(page_with_table(SECURITY_PAGE.read_text("utf-8")), "utf-8")

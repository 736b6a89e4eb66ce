"""Saving and deleting named lists; they are links above the list of tasks."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.visible_text import on_one_line
from generation import limits, services
from generation.models import SavedView

LIST = "admin:generation_generationtask_changelist"


class SavedViewMixin:
    """Addresses of the views, for the admin of the list."""

    def get_urls(self: Any) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        name = "generation_generationtask_{}".format
        return [
            path("views/save/", wrap(require_POST(self.save_named_view)), name=name("save_view")),
            path(
                "views/<int:view_id>/delete/",
                wrap(require_POST(self.delete_named_view)),
                name=name("delete_view"),
            ),
            *super().get_urls(),  # type: ignore[misc]
        ]

    def save_named_view(self: Any, request: HttpRequest) -> HttpResponse:
        """Save the `query` of the form under its `name`."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        query = kept_query(request.POST.get("query", ""), self.parameters())
        name = name_in(request.POST.get("name", ""))
        if not name:
            self.message_user(request, _("Give the view a name."), messages.WARNING)
        elif not query or len(query) > limits.MAX_VIEW_QUERY:
            self.message_user(request, _("Choose a filter before you save."), messages.WARNING)
        elif not services.save_view(owner=cast("User", request.user), name=name, query=query):
            sentence = _("You have %(n)s saved views. Delete one before you save another.")
            self.message_user(request, sentence % {"n": limits.MAX_VIEWS}, messages.WARNING)
        return HttpResponseRedirect(f"{reverse(LIST)}?{query}" if query else reverse(LIST))

    def delete_named_view(self: Any, request: HttpRequest, view_id: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if not services.delete_view(owner=cast("User", request.user), view_id=view_id):
            raise Http404
        return HttpResponseRedirect(reverse(LIST))

    def parameters(self: Any) -> frozenset[str]:
        """The parameters of the list that a view may have."""
        filters = {each.parameter_name for each in self.list_filter}
        return frozenset({*filters, SEARCH_VAR, ORDER_VAR})

    def view_links(self: Any, request: HttpRequest) -> dict[str, Any]:
        """Context of the list: the user's views, and the query that would be saved."""
        current = kept_query(request.GET.urlencode(), self.parameters())
        views = SavedView.objects.filter(owner=cast("User", request.user))
        links = [(view, view.query == current) for view in views[: limits.MAX_VIEWS]]
        return {"saved_views": links, "current_query": current}


def name_in(text: str) -> str:
    """The name that was typed; empty if it cannot be one."""
    try:
        name = on_one_line(text)
    except ValueError:
        return ""
    return name if len(name) <= limits.MAX_VIEW_NAME else ""


def kept_query(text: str, parameters: frozenset[str]) -> str:
    """The query string with those parameters only, each once, in alphabetical order."""
    kept = QueryDict(mutable=True)
    for name, value in sorted(QueryDict(text[: 4 * limits.MAX_VIEW_QUERY]).items()):
        if name in parameters and value:
            kept[name] = str(value)
    return kept.urlencode()

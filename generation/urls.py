"""Pages and files."""

from __future__ import annotations

from django.conf import settings
from django.urls import path, re_path
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page

from accounts.profile_page import choose_language
from generation.api import api, api_docs
from generation.views import (
    catalogue,
    events,
    gallery,
    images,
    notice_page,
    pages,
    share_links,
    task_list,
    timeline,
    trash,
)

urlpatterns = [
    path("", pages.studio, name="studio"),
    path("tasks/<uuid:task_id>/", pages.task, name="task"),
    path("tasks/<uuid:task_id>/timeline/", timeline.timeline_fragment, name="timeline"),
    path("pictures/<uuid:task_id>/<int:index>/", images.picture, name="picture"),
    path("pictures/<uuid:task_id>/<int:index>/thumbnail/", images.thumbnail, name="thumbnail"),
    path(
        "pictures/<uuid:task_id>/<int:index>/about/",
        gallery.image_detail,
        name="picture-about",
    ),
    path("pictures/<uuid:task_id>/<int:index>/notice/", notice_page.notice, name="picture-notice"),
    path("cards/", task_list.cards, name="cards"),
    path("collection/", task_list.collection, name="collection"),
    path("messages/", events.messages, name="messages"),
    path("events/", events.events, name="events"),
    path("events/poll/", events.poll, name="poll"),
    path("gallery/", gallery.gallery, name="gallery"),
    path("gallery/favourite/", gallery.favourite, name="gallery-favourite"),
    path("gallery/delete/", gallery.delete, name="gallery-delete"),
    path("gallery/restore/", gallery.restore, name="gallery-restore"),
    path("gallery/zip/", gallery.archive, name="gallery-zip"),
    path("trash/", trash.trash, name="trash"),
    path("trash/change/", trash.change, name="trash-change"),
    path("trash/<uuid:task_id>/<int:index>/thumbnail/", trash.thumbnail, name="trash-thumbnail"),
    path("compare/", gallery.compare, name="compare"),
    path("tasks/<uuid:task_id>/share/", share_links.share, name="share"),
    path("shared/<slug:token>/", share_links.shared, name="shared"),
    path("shared/<slug:token>/<int:index>/", share_links.picture, name="shared-picture"),
    path(
        "shared/<slug:token>/<int:index>/thumbnail/", share_links.thumbnail, name="shared-thumbnail"
    ),
    path("api/v1/docs", api_docs, name="api-docs"),
    # the second is where clients of OpenAI look
    re_path(r"^(?:api|v1)/", api, name="api"),
    *([re_path(r"^mcp/?$", api, name="mcp")] if settings.MCP else []),
    path("i18n/setlang/", choose_language, name="set_language"),
    path(
        "i18n/catalog.js",
        # nothing in it is secret
        gzip_page(conditional_page(catalogue.Catalogue.as_view(packages=["generation"]))),
        name="javascript-catalog",
    ),
]

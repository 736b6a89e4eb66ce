"""Pages and files."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path
from django.views.decorators.http import conditional_page
from django.views.i18n import JavaScriptCatalog, set_language

from generation.views import files, pages

urlpatterns = [
    path("", pages.studio, name="studio"),
    path("tasks/<uuid:task_id>/", pages.task, name="task"),
    path("pictures/<uuid:task_id>/<int:index>/", files.picture, name="picture"),
    path("pictures/<uuid:task_id>/<int:index>/thumbnail/", files.thumbnail, name="thumbnail"),
    path(
        "accounts/sign-in/",
        LoginView.as_view(
            template_name="registration/sign_in.html", redirect_authenticated_user=True
        ),
        name="sign-in",
    ),
    path("accounts/sign-out/", LogoutView.as_view(), name="sign-out"),
    path("i18n/setlang/", set_language, name="set_language"),
    path(
        "i18n/catalog.js",
        conditional_page(JavaScriptCatalog.as_view(packages=["generation"])),
        name="javascript-catalog",
    ),
]

"""URL patterns of the site."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from generation.views import sign_in
from liujuan_site import health

handler400 = "generation.views.error_pages.bad_request"
handler403 = "generation.views.error_pages.permission_denied"
handler500 = "liujuan_site.unavailable.server_error"

admin.site.site_url = f"{settings.BASE_PATH}/"

site: list[Any] = [
    path("", include("generation.urls")),
    path("admin/login/", sign_in.admin_sign_in),
    path("admin/logout/", sign_in.SignOutView.as_view()),
    path("admin/password_change/", admin.site.admin_view(sign_in.PasswordView.as_view())),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

# part of the patterns, not SCRIPT_NAME: workers and sockets build URLs without a request
urlpatterns = [path(f"{settings.BASE_PATH[1:]}/", include(site))] if settings.BASE_PATH else site

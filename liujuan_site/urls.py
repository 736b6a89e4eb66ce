"""The site's addresses."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from generation.views import signing_in
from liujuan_site import probes

handler403 = "generation.views.refusals.forbidden"

urlpatterns = [
    path("", include("generation.urls")),
    path("admin/login/", signing_in.admin_sign_in),
    path("admin/", admin.site.urls),
    path("healthz", probes.healthz, name="healthz"),
    path("readyz", probes.readyz, name="readyz"),
]

"""The site's addresses."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from liujuan_site import probes

urlpatterns = [
    path("", include("generation.urls")),
    path("admin/", admin.site.urls),
    path("healthz", probes.healthz, name="healthz"),
    path("readyz", probes.readyz, name="readyz"),
]

"""The first of the account pages, which leads to all others."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe


@require_safe
@login_required
@never_cache
def overview(request: HttpRequest) -> HttpResponse:
    return render(request, "account/overview.html")

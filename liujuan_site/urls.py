"""URL patterns of the site."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView

from accounts import profile_page, program_pages
from accounts import views as account_views
from accounts.overview_page import overview
from generation import proxy_probe
from generation.admin import operations_page
from generation.views import account_data, review_actions, review_page, webhooks
from generation.views.limit_page import limits
from generation.views.sign_in import SignInPage, admin_sign_in
from liujuan_site import health, metrics

handler400 = "generation.views.error_pages.bad_request"
handler403 = "generation.views.error_pages.permission_denied"
handler429 = "generation.views.error_pages.too_many_requests"
"""Called by allauth where its own limits refuse a request."""
handler500 = "liujuan_site.unavailable.server_error"

admin.site.site_url = f"{settings.BASE_PATH}/"

UNUSED_OIDC_PAGES = ("login/cancelled", "login/error", "signup")
"""Of allauth, in English only: accounts.oidc_adapter has pages of ours for all of them."""


def page_not_found(request: HttpRequest, page: str = "") -> HttpResponse:
    raise Http404


def oidc_pages() -> list[Any]:
    """Addresses of allauth, with error pages of ours; those that are not used answer 404."""
    if not settings.OIDC_SERVER:
        return []
    from accounts import oidc_views

    return [
        *(path(f"3rdparty/{page}/", page_not_found) for page in UNUSED_OIDC_PAGES),
        path("social/<path:page>", page_not_found),
        path("oidc/<str:provider_id>/login/", oidc_views.begin),
        path("oidc/<str:provider_id>/login/callback/", oidc_views.come_back),
    ]


account_pages: list[Any] = [
    path("", overview, name="account"),
    path("profile/", profile_page.profile, name="account_profile"),
    path("theme/", profile_page.choose_theme, name="account_theme"),
    path("programs/", program_pages.programs, name="programs"),
    path("programs/new/", program_pages.new_program, name="program_new"),
    path("programs/<int:number>/revoke/", program_pages.revoke_program, name="program_revoke"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/new/", webhooks.new_webhook, name="webhook_new"),
    path("webhooks/<uuid:webhook_id>/", webhooks.webhook, name="webhook"),
    path("webhooks/<uuid:webhook_id>/edit/", webhooks.edit_webhook, name="webhook_edit"),
    path("webhooks/<uuid:webhook_id>/test/", webhooks.test_webhook, name="webhook_test"),
    path("webhooks/<uuid:webhook_id>/switch/", webhooks.switch_webhook, name="webhook_switch"),
    path("webhooks/<uuid:webhook_id>/delete/", webhooks.delete_webhook, name="webhook_delete"),
    path(
        "webhooks/<uuid:webhook_id>/deliveries/<int:delivery_id>/resend/",
        webhooks.resend,
        name="webhook_resend",
    ),
    # the first pattern of an address is the one that is served
    path("login/", RedirectView.as_view(pattern_name="account_login", query_string=True)),
    path("logout/", RedirectView.as_view(pattern_name="account_logout")),
    path("password/change/", account_views.PasswordView.as_view(), name="account_change_password"),
    path("password/reset/", account_views.ResetView.as_view(), name="account_reset_password"),
    path("reauthenticate/", account_views.ConfirmView.as_view(), name="account_reauthenticate"),
    path("2fa/", account_views.FactorsView.as_view(), name="mfa_index"),
    path("sessions/", account_views.SessionsView.as_view(), name="usersessions_list"),
    path("limits/", limits, name="limits"),
    path("data/", account_data.overview, name="account_data"),
    path("data/export/", account_data.export, name="account_data_export"),
    path("data/delete/", account_data.delete, name="account_data_delete"),
    path("data/keep/", account_data.keep, name="account_data_keep"),
    path("invite/<slug:token>/", account_views.accept_invitation, name="invitation"),
    # without mail no address can be confirmed
    *([] if settings.EMAIL_URL else [path("email/", RedirectView.as_view(pattern_name="account"))]),
    *oidc_pages(),
    path("", include("allauth.urls")),
    # the last pattern of a name is the one that links lead to
    path("sign-in/", SignInPage.as_view(), name="account_login"),
    path("sign-out/", account_views.SignOutView.as_view(), name="account_logout"),
]

review_pages: list[Any] = [
    path("", review_page.desk, name="review"),
    path("next/", review_actions.next_pictures, name="review-next"),
    path("news/", review_actions.news, name="review-news"),
    path("approve/", review_actions.approve, name="review-approve"),
    path("release/", review_actions.release, name="review-release"),
    path("<int:image_id>/", review_page.picture, name="review-picture"),
    path("<int:image_id>/decide/", review_actions.decide, name="review-decide"),
    path("<int:image_id>/undo/", review_actions.undo, name="review-undo"),
    path("<int:image_id>/file/", review_page.file, name="review-file"),
    path("<int:image_id>/thumbnail/", review_page.thumbnail, name="review-thumbnail"),
]

site: list[Any] = [
    path("", include("generation.urls")),
    path("accounts/", include(account_pages)),
    path("admin/login/", admin_sign_in),
    path("admin/logout/", account_views.SignOutView.as_view()),
    path("admin/password_change/", RedirectView.as_view(pattern_name="account_change_password")),
    path("admin/operations/", operations_page.operations, name="operations"),
    path("admin/operations/<slug:name>/", operations_page.operate, name="operate"),
    path("admin/review/", include(review_pages)),
    path("admin/", admin.site.urls),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path(proxy_probe.PATH, health.proxy_answer),
]

# part of the patterns, not SCRIPT_NAME: workers and sockets build URLs without a request
urlpatterns = [path(f"{settings.BASE_PATH[1:]}/", include(site))] if settings.BASE_PATH else site

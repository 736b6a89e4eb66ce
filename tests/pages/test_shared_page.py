"""Share links: what they show, and that nothing else becomes readable."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client, override_settings

from generation.models import ShareLink
from tests.factories import finished_task, submit
from tests.pages.page_clients import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("media")]


def share(user: User, task: Any) -> dict[str, Any]:
    answer: dict[str, Any] = signed_in(user).post(f"/tasks/{task.pk}/share/").json()
    return answer


def test_a_link_needs_no_account(alice: User, now: datetime) -> None:
    task = finished_task(alice, now, pictures=2, prompt="willow by the lake")

    link = share(alice, task)

    path = link["url"].removeprefix("http://testserver")
    assert path.startswith("/shared/")
    assert link["expires"] == pytest.approx((now + timedelta(days=7)).timestamp(), abs=60)
    stranger = Client()
    page = stranger.get(path)
    assert "willow by the lake" in page.text
    assert "alice" not in page.text
    assert str(task.pk) not in page.text
    assert stranger.get(f"{path}2/").content == f"picture {task.pk} 2".encode()
    assert stranger.get(f"{path}2/thumbnail/")["Content-Type"] == "image/webp"
    saved = stranger.get(f"{path}1/?download=1")["Content-Disposition"]
    assert saved == 'attachment; filename="liujuan-willow-by-the-lake-100.jpg"'
    for each in ("", "2/", "2/thumbnail/"):
        response = stranger.get(f"{path}{each}")
        assert "no-store" in response["Cache-Control"]
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["X-Robots-Tag"] == "noindex"
        assert settings.SESSION_COOKIE_NAME not in response.cookies
        assert stranger.post(f"{path}{each}").status_code == 405
    assert stranger.get(f"{path}3/").status_code == 404
    assert stranger.get(f"/pictures/{task.pk}/1/").status_code == 302


def test_the_page_loads_small_pictures(alice: User, now: datetime) -> None:
    url = share(alice, finished_task(alice, now, size=(1280, 640)))["url"]
    small = share(alice, finished_task(alice, now, size=(512, 512)))["url"]

    path = url.removeprefix("http://testserver")
    image = Client().get(url).text.partition("<img ")[2].partition(">")[0]
    assert f'src="{path}1/thumbnail/"' in image
    assert f'srcset="{path}1/thumbnail/ 640w, {path}1/ 1280w"' in image
    assert "srcset" not in Client().get(small).text


def test_an_ended_link_is_not_found(alice: User, now: datetime) -> None:
    task = finished_task(alice, now)
    first, second = share(alice, task)["url"], share(alice, task)["url"]

    ShareLink.objects.filter(pk=ShareLink.objects.earliest("pk").pk).update(expires_at=now)
    assert [Client().get(url).status_code for url in (first, second)] == [404, 200]
    assert signed_in(alice).delete(f"/tasks/{task.pk}/share/").json() == {"ended": 2}

    for where in ("", "1/", "1/thumbnail/"):
        assert Client().get(f"{second}{where}").status_code == 404
    assert Client().get("/shared/no-such-token/").status_code == 404
    assert Client().get(f"/shared/{'x' * 5000}/").status_code == 404


def test_only_owners_make_and_end_links(alice: User, bob: User, rita: User, now: datetime) -> None:
    task = finished_task(alice, now)
    path = f"/tasks/{task.pk}/share/"

    for user in (bob, rita):
        assert signed_in(user).post(path).status_code == 404
        assert signed_in(user).delete(path).status_code == 404
    assert signed_in(alice).get(path).status_code == 405
    assert Client().post(path).json()["code"] == "not_signed_in"
    forging = Client(enforce_csrf_checks=True)
    forging.force_login(alice)
    assert forging.post(path).status_code == forging.delete(path).status_code == 403
    assert signed_in(alice).post(f"/tasks/{submit(alice, now).pk}/share/").status_code == 409
    assert not ShareLink.objects.exists()


def test_the_address_is_the_one_that_people_type(alice: User, now: datetime) -> None:
    with override_settings(PUBLIC_URL="https://studio.example"):
        assert share(alice, finished_task(alice, now))["url"].startswith(
            "https://studio.example/shared/"
        )

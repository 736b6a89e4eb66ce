"""The story of an operator: a worker dies, the operations page shows it, another one takes over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import serious_violations
from tests.browser.conftest import SignIn
from tests.browser.sign_in import submit_sign_in
from tests.demo_faults import FAST, HELD, HELD_STEPS
from tests.production import Production
from tests.programs import RunWorker
from tests.studio import wait_until

pytestmark = pytest.mark.browser

HELD_ONCE = {**HELD, "times": 1}
"""The first call is at work until it is ended; the next one is not."""

LONG_LEASE = "60"
"""The page shows a lost worker long before others take its slots over by themselves."""

PASSWORD = "a long and good password"
MAKE_OPERATOR = f"""
from django.contrib.auth.models import User
User.objects.create_superuser("operator", password={PASSWORD!r})
"""
AT_WORK = """
select worker.pid from generation_modelslot slot
join generation_worker worker on worker.id = slot.worker_id where slot.task_id is not null
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Production]:
    site = Production(
        tmp_path_factory.mktemp("operator"),
        workers=2,
        speed=FAST,
        faults=[HELD_ONCE],
        GENERATION_LEASE=LONG_LEASE,
    ).start()
    site.manage("shell", "--no-imports", "-c", MAKE_OPERATOR)
    yield site
    site.stop()


def worker_at_work(site: Production) -> RunWorker:
    """The worker that has the only task."""
    ((pid,),) = wait_until(lambda: site.query(AT_WORK), what="a worker has the task")
    (worker,) = (each for each in site.workers if each.process and each.process.pid == pid)
    return worker


def take_over(page: Page) -> None:
    """From the only lost worker, with the confirmation."""
    page.locator("[id^=take-over-]").click()
    page.locator(".ops-confirm button").click()
    expect(page.locator("#operations-live")).to_be_visible()


def test_a_dead_worker_is_shown_and_replaced(site: Production, sign_in: SignIn) -> None:
    with site.connect(site.user("mei")) as watcher:
        task = watcher.generate("a heron", size="256x256", steps=HELD_STEPS)
        dead = worker_at_work(site)
        page = sign_in(None, site.webs[0].url).new_page()
        page.goto("/accounts/sign-in/?next=/admin/operations/")
        submit_sign_in(page, "operator", PASSWORD)
        running, lost = page.locator(".state.running"), page.locator(".state.gone")
        expect(running).to_have_count(2)

        dead.kill()
        # the open page refreshes itself
        expect(lost).to_have_text("失联")
        assert serious_violations(page) == []
        page.goto("/admin/operations/")
        take_over(page)
        watcher.until(lambda frame: frame.get("kind") == "completed" and frame["task_id"] == task)
        # its row says "stopped" now, so the page does not list it
        expect(lost).to_have_count(0)
        expect(running).to_have_count(1)
        page.goto("/admin/generation/auditentry/")
        actions = page.locator("#result_list .field-action")
        expect(actions).to_have_text(["接管了执行机的执行位"])

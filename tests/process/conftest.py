"""One site per test file, checked before and after every test, and a new user."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.demo_faults import FAST
from tests.production import Production
from tests.studio import wait_until

numbers = itertools.count()

UNFINISHED = "select count(*) from generation_generationtask where status in ('queued', 'running')"
CANCEL_ALL = """
update generation_generationtask set cancel_requested_at = now()
where status in ('queued', 'running') and cancel_requested_at is null
"""
"""As a request is stored, but without its event: no client follows these tasks any more."""


def is_whole(site: Production) -> bool:
    """Whether every web says that it sees the others."""
    try:
        return all(sees_everything(web.readyz()) for web in site.webs)
    except OSError:
        return False


def sees_everything(report: dict[str, object]) -> bool:
    return (
        report.get("database") == report.get("workers") == report.get("models") == "ok"
        # not known for the first seconds of a web's life
        and report.get("layer") != "down"
    )


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Production]:
    """A site with the settings in the file's SITE."""
    site = Production(tmp_path_factory.mktemp("site"), **{"speed": FAST, **request.module.SITE})
    try:
        yield site.start()
    finally:
        site.stop()


@pytest.fixture
def whole(site: Production) -> Iterator[Production]:
    """The file's site without unfinished tasks; the test puts right what it breaks.

    What a failed test left behind does not make the next ones fail.
    """
    try:
        assert_all_alive(site)
        wait_until(lambda: is_whole(site), what="the site is in order")
        yield site
        assert_all_alive(site)
        wait_until(lambda: is_whole(site), what="the site is in order again")
    finally:
        site.restart_ended()
        # a call that is held would make those wait that come to its replica in turn
        site.query(CANCEL_ALL)
        wait_until(lambda: site.query(UNFINISHED) == [(0,)], what="no task is left")


def assert_all_alive(site: Production) -> None:
    ended = {each.name: each.output()[-2_000:] for each in site.programs if not each.alive}
    assert ended == {}


@pytest.fixture
def person(site: Production) -> str:
    """The token of a new user."""
    return site.user(f"person-{next(numbers)}")

"""One site per test file, checked before and after every test, and a new user."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.demo_faults import FAST
from tests.production import Production
from tests.studio import wait_until

numbers = itertools.count()


def is_whole(site: Production) -> bool:
    """Whether every part runs and every web says that it sees the others."""
    if not all(program.alive for program in site.programs):
        return False
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
    """The file's site; the test puts right what it breaks."""
    wait_until(lambda: is_whole(site), what="the site is in order")
    yield site
    wait_until(lambda: is_whole(site), what="the site is in order again")


@pytest.fixture
def person(site: Production) -> str:
    """The token of a new user."""
    return site.user(f"person-{next(numbers)}")

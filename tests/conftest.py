"""Shared fixtures: a private DATA_DIR, collected static files, users, worker and model."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.database_flush import keep_what_migrations_made
from tests.prebuilt import COLLECTED, collect_static, copy_static, migrated
from tests.stores import drop_template, migrated_template
from tests.studio import wait_until

# before Django reads its settings (pytest must not read them this early): nothing of
# the developer's own environment may leak in, and nothing of the tests into DATA_DIR; only
# DATABASE_URL and REDIS_URL select the stores of the tests
OURS = (
    *("XINFERENCE_", "GENERATION_", "DEMO_", "EMBEDDED_", "PUBLIC_", "SECRET_", "LANGUAGE"),
    *(
        "TRUSTED_",
        "CONNECTIONS_",
        "LIMIT_",
        "SSL_CERT_",
        "EMAIL_",
        "SIGNUP",
        "MFA_",
        "OIDC_",
        "WEBHOOK_",
        "OTEL_",
        "SENTRY_",
        "METRICS_",
        "ALERT_",
        "HEARTBEAT_",
        "RETENTION_",
        "PRUNE_",
    ),
)
OURS_EXACTLY = {
    "LOG_FORMAT",
    "HTTPS",
    "DEBUG",
    "MCP",
    "ADMINS",
    "ALLOWED_HOSTS",
    "HOST",
    "PORT",
    "TIME_ZONE",
}
for name in [key for key in os.environ if key.startswith(OURS) or key in OURS_EXACTLY]:
    del os.environ[name]
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="liujuan-test-")
PART = os.environ.get("PYTEST_XDIST_WORKER", "")
IS_PART = bool(PART)
if IS_PART and "REDIS_URL" in os.environ:
    # a database of Redis for each process, because tests clear theirs
    server, _slash, number = os.environ["REDIS_URL"].rpartition("/")
    os.environ["REDIS_URL"] = f"{server}/{int(number) + int(PART.removeprefix('gw'))}"
if IS_PART:
    # before anything looks for them
    copy_static(Path(os.environ["DATA_DIR"]))
os.environ["DJANGO_SETTINGS_MODULE"] = "liujuan_site.settings"

import django  # noqa: E402
import psycopg  # noqa: E402
from asgiref.sync import sync_to_async  # noqa: E402

django.setup()

import pytest  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth.models import Permission, User  # noqa: E402
from django.core.cache import caches  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.utils import timezone, translation  # noqa: E402

from generation import services  # noqa: E402
from generation.choices import Route  # noqa: E402
from generation.hub import hub  # noqa: E402
from generation.models import Worker  # noqa: E402
from generation.services import ModelObservation  # noqa: E402
from tests.factories import record_models  # noqa: E402

# every test client creates the middleware again, which would scan all static files
STATIC_ON_DEMAND = {"SERVESTATIC_AUTOREFRESH": True, "SERVESTATIC_USE_MANIFEST": False}
for name, value in STATIC_ON_DEMAND.items():
    setattr(settings, name, value)
keep_what_migrations_made()

START_ORDER = (
    # one after the other, because they share a Chromium that cannot outlive them
    {"browser"},
    {"process", "test_benchmarks.py"},
    {"worker", "contract", "test_crashes.py", "test_state_laws.py"},
)
"""Folders and files in the order in which they begin; then all others. Long files come first, so
that parallel processes end at about the same time."""

MODEL = "LiuJuan20260223Zimage"
pytest_plugins = [
    "tests.hang_watchdog",
    "tests.settings",
    "tests.socket.sockets",
    "tests.fallback.http_clients",
    "tests.api.api_program",
    "tests.worker.demo_worker",
    "tests.webhooks.receiver",
]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: start_order(item.path))


def start_order(path: Path) -> int:
    """Return the index of the group of `path`; ungrouped files come last."""
    names = {path.name, path.parent.name}
    turns = [number for number, group in enumerate(START_ORDER) if names & group]
    return turns[0] if turns else len(START_ORDER)


def pytest_configure(config: pytest.Config) -> None:
    """Processes of a parallel run inherit this environment; they must not read settings early."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    if not IS_PART:
        collect_static(config.rootpath / ".pytest_cache" / "static", settings.STATIC_ROOT)
        os.environ[COLLECTED] = str(settings.STATIC_ROOT)


def pytest_collection_finish() -> None:
    """Leave modules and collected tests out of garbage collections, which would read them all."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    if not IS_PART and connection.vendor == "postgresql":
        drop_template(os.environ)
    shutil.rmtree(os.environ["DATA_DIR"], ignore_errors=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") == "true" and skipped and session.exitstatus == 0:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report crashes of Chromium, which are not failures of the studio."""
    reports = [each for kind in terminalreporter.stats.values() for each in kind]
    crashes = {
        (report.nodeid, words)
        for report in reports
        for name, words in getattr(report, "user_properties", ())
        if name == "chromium crashed"
    }
    if crashes:
        terminalreporter.section(
            f"Chromium crashed {len(crashes)} times; these tests were repeated"
        )
    for nodeid, words in sorted(crashes):
        terminalreporter.write_line(f"{nodeid}\n{words}\n")


@pytest.fixture(scope="session", autouse=True)
def data_dir() -> None:
    assert str(settings.DATA_DIR) == os.environ["DATA_DIR"], "tests write elsewhere"


@pytest.fixture(autouse=True)
def default_language() -> None:
    """A request leaves its language active in the thread, as it does in a server."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def empty_caches(request: pytest.FixtureRequest) -> None:
    """Counts and turns are kept by the id of a user, and users of an earlier test had the same."""
    if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
        for name in ("shared", "local"):
            caches[name].clear()


@pytest.fixture(autouse=True)
def no_client_stays_registered() -> Iterator[None]:
    """The hub would go on reading for it, also in later tests."""
    yield
    left = hub.all_outboxes()
    hub.outboxes.clear()
    assert left == []


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool, django_db_modify_db_settings: None) -> bool:
    """Begin each parallel process with a copy of the database that one of them migrated."""
    if not IS_PART:
        return django_db_keepdb
    of_tests = connection.settings_dict["TEST"]
    if connection.vendor == "postgresql":
        of_tests["TEMPLATE"] = migrated_template(os.environ)
        return django_db_keepdb
    shutil.copyfile(migrated(os.environ), of_tests["NAME"])
    return True


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Wait until PostgreSQL has noticed that all connections to the test database are closed."""
    yield
    if connection.vendor != "postgresql":
        return
    # Django's async queries keep their connection in a thread of asgiref, without an end
    asyncio.run(sync_to_async(connections.close_all)())
    pool: Any = connection
    connection.close()
    pool.close_pool()
    others = "select state, state_change, query from pg_stat_activity where datname = %s"
    name = connection.settings_dict["NAME"]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as observer:
        still_open: list[Any] = []

        def all_closed() -> bool:
            still_open[:] = observer.execute(others, [name]).fetchall()
            return not still_open

        try:
            wait_until(all_closed, what="every connection to the test database is closed")
        except AssertionError as error:
            # the last statement tells which test left it open
            error.add_note(f"{still_open} in threads {threading.enumerate()}")
            raise


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    """Another user."""
    return User.objects.create_user("bob")


@pytest.fixture
def rita(db: None) -> User:
    """Staff with permission to view every task, and to change none."""
    rita = User.objects.create_user("rita", is_staff=True)
    rita.user_permissions.add(Permission.objects.get(codename="view_generationtask"))
    return rita


@pytest.fixture
def media(tmp_path: Path) -> Iterator[Path]:
    with override_settings(MEDIA_ROOT=tmp_path / "media"):
        yield tmp_path / "media"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def worker(db: None, now: datetime) -> Worker:
    return services.register_worker(host="here", pid=1, version="test", now=now)


def serve_model(
    *,
    now: datetime,
    slots: int = 1,
    route: Route = Route.TXT2IMG,
    name: str = MODEL,
    identity: str = "127.0.0.1:1",
    ready: bool = True,
) -> None:
    """Record that the model server has `name`, as a worker would."""
    seen = ModelObservation(
        name=name,
        route=route,
        ready=ready,
        loading=False,
        replicas=slots,
        identity=identity,
        slots=slots,
    )
    record_models(seen, now=now)


@pytest.fixture
def model(db: None, now: datetime) -> str:
    """A ready model with one slot."""
    serve_model(now=now)
    return MODEL

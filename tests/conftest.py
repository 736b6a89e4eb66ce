"""What every test stands on: a private DATA_DIR, collected static files, people and machinery."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.prepared import COLLECTED, collect_static, copy_static
from tests.studio import wait_until

# before Django reads its settings (pytest is not told of them, it would be too early): nothing of
# the developer's own environment may leak in, and nothing of the tests into DATA_DIR; only
# DATABASE_URL and REDIS_URL say where the tests shall run
OURS = (
    *("XINFERENCE_", "GENERATION_", "DEMO_", "EMBEDDED_", "PUBLIC_", "SECRET_", "LANGUAGE"),
    *("TRUSTED_", "CONNECTIONS_", "SSL_CERT_"),
)
OURS_EXACTLY = {"HTTPS", "DEBUG", "ALLOWED_HOSTS", "HOST", "PORT", "TIME_ZONE"}
for name in [key for key in os.environ if key.startswith(OURS) or key in OURS_EXACTLY]:
    del os.environ[name]
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="liujuan-test-")
IS_PART = "PYTEST_XDIST_WORKER" in os.environ
if IS_PART:
    # before anything looks for them
    copy_static(Path(os.environ["DATA_DIR"]))
os.environ["DJANGO_SETTINGS_MODULE"] = "liujuan_site.settings"

import django  # noqa: E402
import psycopg  # noqa: E402

django.setup()

import pytest  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth.models import Permission, User  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import override_settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from generation import services  # noqa: E402
from generation.choices import Route  # noqa: E402
from generation.models import Worker  # noqa: E402
from generation.services import SeenModel  # noqa: E402

# every test client makes the middleware anew, and would look at each static file for it
STATIC_ON_DEMAND = {"SERVESTATIC_AUTOREFRESH": True, "SERVESTATIC_USE_MANIFEST": False}
for name, value in STATIC_ON_DEMAND.items():
    setattr(settings, name, value)

LONGEST_FIRST = (
    # one after the other, because they share a Chromium that cannot outlive them
    {"browser"},
    {"process", "test_benchmarks.py"},
    {"worker", "contract", "test_dying.py", "test_state_laws.py"},
)
"""Folders and files in the order in which they begin; then all others."""

MODEL = "LiuJuan20260223Zimage"
pytest_plugins = [
    "tests.hanging",
    "tests.settings",
    "tests.socket.pages",
    "tests.fallback.visitors",
    "tests.worker.machine",
]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first: none of the processes that share the work is left alone with them."""
    items.sort(key=lambda item: replay_lock(item.path))


def replay_lock(path: Path) -> int:
    names = {path.name, path.parent.name}
    turns = [number for number, group in enumerate(LONGEST_FIRST) if names & group]
    return turns[0] if turns else len(LONGEST_FIRST)


def pytest_configure(config: pytest.Config) -> None:
    """Processes of a parallel run inherit this environment; they must not read settings early."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    if not IS_PART:
        collect_static(config.rootpath / ".pytest_cache" / "static", settings.STATIC_ROOT)
        os.environ[COLLECTED] = str(settings.STATIC_ROOT)


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["DATA_DIR"], ignore_errors=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI everything has to run: a test that was skipped is one that failed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if os.environ.get("CI") == "true" and skipped and session.exitstatus == 0:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A browser that went away is not the studio's fault, but must not go unseen."""
    reports = [each for kind in terminalreporter.stats.values() for each in kind]
    told = {
        (report.nodeid, words)
        for report in reports
        for name, words in getattr(report, "user_properties", ())
        if name == "chromium vanished"
    }
    if told:
        terminalreporter.section(f"Chromium vanished {len(told)} times; these were repeated")
    for nodeid, words in sorted(told):
        terminalreporter.write_line(f"{nodeid}\n{words}\n")


@pytest.fixture(scope="session", autouse=True)
def data_dir() -> None:
    assert str(settings.DATA_DIR) == os.environ["DATA_DIR"], "tests write into somebody's data"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """PostgreSQL drops a test database only after it has noticed that everybody has left."""
    yield
    if connection.vendor != "postgresql":
        return
    pool: Any = connection
    connection.close()
    pool.close_pool()
    others = "select query from pg_stat_activity where datname = %s and pid != pg_backend_pid()"
    name = connection.settings_dict["NAME"]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as observer:
        wait_until(
            lambda: not observer.execute(others, [name]).fetchall(),
            what="every connection to the test database is closed",
        )


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    """A stranger to Alice."""
    return User.objects.create_user("bob")


@pytest.fixture
def rita(db: None) -> User:
    """Staff who may look at every task, and change none."""
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
    """Write down that the model server serves `name`, as a worker would."""
    seen = SeenModel(
        name=name,
        route=route,
        ready=ready,
        loading=False,
        replicas=slots,
        identity=identity,
        slots=slots,
    )
    services.record_models(seen=[seen], demo=True, now=now)


@pytest.fixture
def model(db: None, now: datetime) -> str:
    """A ready model with one slot."""
    serve_model(now=now)
    return MODEL

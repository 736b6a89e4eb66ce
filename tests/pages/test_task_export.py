"""The filtered list of tasks as a file: complete, in periods, and safe for spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient, Client

from generation.admin.period_filter import MAX_SCANNED_TASKS
from generation.export_turns import ExportTurn
from generation.models import AuditEntry, GenerationTask
from tests.factories import submit
from tests.pages.page_clients import ADMIN_TASKS
from tests.rows import copy_task

pytestmark = pytest.mark.django_db(transaction=True)


def exported(user: User, kind: str, query: str = "") -> tuple[int, str]:
    async def sent() -> tuple[int, str]:
        client = AsyncClient()
        await client.aforce_login(user)
        answer: Any = await client.post(f"{ADMIN_TASKS}export/{kind}/{query}")
        if not answer.streaming:
            return answer.status_code, answer.get("Location", "")
        try:
            return answer.status_code, b"".join([part async for part in answer]).decode()
        finally:
            answer.close()

    return async_to_sync(sent)()


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_no_cell_is_a_formula(alice: User, rita: User, now: datetime) -> None:
    prompts = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "a\n=1",
        '"; =1',
        "x;=1",
        "＝1",
        "＠A1",
        "柳",
    ]
    for prompt in prompts:
        submit(alice, now, prompt=prompt, negative_prompt="=x")

    status, text = exported(rita, "csv")

    assert status == 200
    cells = {cell for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"))) for cell in row}
    assert [cell for cell in cells if cell[:1] in set("=+-@＝＋－＠\t\r\n")] == []
    assert '"x;=1"' in text
    stored = {task.prompt for task in GenerationTask.objects.all()}
    assert {row["prompt"].removeprefix("'") for row in csv_rows(text)} == stored


def test_an_export_has_the_filtered_tasks(
    alice: User, bob: User, rita: User, now: datetime
) -> None:
    willow = submit(alice, now, prompt="willow by the lake")
    submit(alice, now, prompt="umbrella")
    submit(bob, now, prompt="willow")

    status, text = exported(rita, "json", "?q=willow&owner=alice")

    (row,) = json.loads(text)["tasks"]
    assert status == 200
    assert (row["id"], row["owner"], row["prompt"]) == (str(willow.pk), "alice", willow.prompt)
    assert (row["width"], row["status"]) == (willow.width, "queued")
    assert json.loads(text)["after"] is None
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action) == (rita, "exported")
    # a search may repeat a prompt
    assert entry.details == {"kind": "json", "filters": {"owner": "alice"}, "searched": True}


def test_a_long_export_is_complete_and_can_be_continued(
    alice: User, rita: User, now: datetime
) -> None:
    """Across batches, periods and files, at whose edges several tasks have the same time."""
    for task in [submit(alice, now) for _same_time in range(7)]:
        copy_task(task, 1_500)
    count = GenerationTask.objects.count()
    assert count > MAX_SCANNED_TASKS

    seen: list[str] = []
    pages = 0
    after: str | None = ""
    while after is not None:
        query = f"?limit=5000&after={after}" if after else "?limit=5000"
        page = json.loads(exported(rita, "json", query)[1])
        seen += [row["id"] for row in page["tasks"]]
        pages, after = pages + 1, page["after"]
    (*rows, end) = csv_rows(exported(rita, "csv", "?limit=3")[1])

    newest = GenerationTask.objects.newest_first().values_list("pk", flat=True)
    assert seen == [str(key) for key in newest]
    assert pages == 3
    assert [row["id"] for row in rows] == seen[:3]
    assert end["id"] == f"more tasks follow: after={seen[2]}"


def test_only_who_may_see_all_tasks_exports(alice: User, bob: User, now: datetime) -> None:
    submit(alice, now)
    bob.is_staff = True
    bob.save()

    assert exported(bob, "csv")[0] == 403
    assert not AuditEntry.objects.exists()


def test_exports_take_turns(alice: User, rita: User, now: datetime) -> None:
    submit(alice, now)
    other = ExportTurn(rita)

    assert exported(rita, "csv", "?owner=alice") == (302, f"{ADMIN_TASKS}?owner=alice")
    other.end()
    assert exported(rita, "csv")[0] == 200
    assert exported(rita, "csv")[0] == 200


def test_other_addresses_export_nothing(staff: Client) -> None:
    assert staff.get(f"{ADMIN_TASKS}export/csv/").status_code == 405
    assert staff.post(f"{ADMIN_TASKS}export/pdf/").status_code == 404
    unknown = staff.post(f"{ADMIN_TASKS}export/csv/?colour=red")
    assert (unknown.status_code, unknown["Location"]) == (302, f"{ADMIN_TASKS}?e=1")

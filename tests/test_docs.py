"""Documents and code use the same names, and every link has a target."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any, get_args

import pytest
from django.conf import settings

from docs.draw import draw
from generation import choices, limits, models, protocol
from generation.error_codes import ErrorCode
from generation.hub import socket_outbox
from generation.protocol.client_messages import ACTIONS
from generation.protocol.close_codes import CloseCode
from generation.selectors.allowances import OF_CONNECTIONS
from generation.services import task_logging
from generation.services.cancellation import Answer
from generation.sessions import rate_limit
from tests.documents import anchors, tables, variables
from tests.prebuilt import ROOT

PROTOCOL = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(f"docs/{p.name}" for p in ROOT.glob("docs/*.md")),
]


FIELDS = tuple(name for name in protocol.EventFrame.__annotations__ if name not in ("data", "code"))
"""What every event frame has; the other two belong to endings."""


def section_of(text: str, title: str) -> str:
    """What stands below the heading `title`, up to the next heading."""
    parts = re.split(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))[title]


def section(title: str) -> str:
    return section_of(PROTOCOL, title)


def frame_types() -> set[str]:
    """Every `type` that the server's code puts into a frame."""
    folders = ("hub", "sessions", "views")
    sources = [path for name in folders for path in ROOT.glob(f"generation/{name}/*.py")]
    sources += [ROOT / "generation/consumers.py", ROOT / "generation/protocol/server_messages.py"]
    named = {
        name
        for source in sources
        for name in re.findall(r'"type": "([a-z_]+)"', source.read_text(encoding="utf-8"))
    }
    return named | {"progress", "result", "error", "cancelled"}


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("action", list(ACTIONS)),
        ("type", sorted(frame_types())),
        ("kind", choices.EventKind.values),
        ("status", choices.TaskStatus.values),
        ("step", choices.Step.values),
        ("reason of a position", choices.QueueReason.values),
        ("reason of an interruption", choices.InterruptReason.values),
        ("reason of a delay", choices.DelayReason.values),
        ("code", ErrorCode.values),
        ("close code", [str(code) for code in CloseCode.values]),
        ("answer to a cancel", list(get_args(Answer))),
        ("field of an event", list(protocol.EventFrame.__annotations__)),
        ("field of `task`", list(protocol.TaskData.__annotations__)),
        ("field of a picture", list(protocol.ImageData.__annotations__)),
        ("field of a position", list(protocol.QueuePosition.__annotations__)),
        ("field of a model", list(protocol.ModelData.__annotations__)),
        ("kind of a limit", sorted({*choices.LimitKind.values} - OF_CONNECTIONS)),
        ("field of a limit", list(protocol.AllowanceData.__annotations__)),
        ("field of the state", list(protocol.TaskState.__annotations__)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_protocol_names_exactly_what_the_code_has(title: str, names: list[str]) -> None:
    assert sorted(tables(PROTOCOL)[title]) == sorted(names)


@pytest.mark.parametrize("action", ACTIONS)
def test_every_field_of_an_action_is_specified(action: str) -> None:
    _kind, readers, required = ACTIONS[action]

    fields = tables(section(f"`{action}`"))["field"]

    assert sorted(fields) == sorted(readers)
    assert {name for name, cells in fields.items() if cells[1] == "required"} == required


def test_the_steps_have_the_wording_that_is_sent() -> None:
    from django.utils import translation

    with translation.override("zh-hans"):
        sent = {step.value: str(step.label) for step in choices.Step}

    assert {name: cells[0] for name, cells in tables(PROTOCOL)["step"].items()} == sent


def test_the_limits_are_those_of_the_code() -> None:
    values = [cells[0] for cells in tables(PROTOCOL)["limit"].values()]

    assert values == [
        f"{limits.MAX_MESSAGE_BYTES:,}",
        f"{rate_limit.RATE:g}",
        f"{rate_limit.BURST:g}",
        f"{rate_limit.PERSON_RATE:g}",
        f"{rate_limit.PERSON_BURST:g}",
        f"{settings.CONNECTIONS_PER_PERSON}",
        f"{limits.MAX_ATTACHED}",
        f"{limits.MAX_QUEUED_FRAMES}",
        f"{socket_outbox.SEND_TIMEOUT:g}",
    ]


def test_the_worked_example_is_a_whole_log_in_the_form_that_is_specified() -> None:
    lines = re.findall(r"^← (\{.*\})$", section("A worked example"), flags=re.MULTILINE)
    frames: list[Any] = [json.loads(line) for line in lines]
    events = [frame for frame in frames if "seq" in frame]

    state = protocol.fold(protocol.empty_state(events[0]["task_id"]), events)

    assert [frame["type"] for frame in frames[:2]] == ["hello", "ack"]
    of_old_tasks = {"prompt_removed_at", "log_pruned_at"}
    assert set(frames[1]["task"]) == set(protocol.TaskData.__annotations__) - of_old_tasks
    assert {tuple(event) for event in events[:-1]} == {FIELDS}
    assert tuple(events[-1]) == (*FIELDS, "data")
    assert (state["status"], state["progress"]) == ("completed", 100)
    assert state["images"] == events[-1]["data"]["data"]


def test_the_details_of_the_worked_example_are_specified_with_their_kind() -> None:
    kinds = tables(PROTOCOL)["kind"]
    lines = re.findall(r"^← (\{.*\})$", section("A worked example"), flags=re.MULTILINE)
    events = [frame for frame in map(json.loads, lines) if "kind" in frame]

    used = {(event["kind"], name) for event in events for name in event["details"]}

    assert {(kind, name) for kind, name in used if f"`{name}`" not in kinds[kind][1]} == set()


def test_the_readme_has_every_setting_with_its_type_and_default() -> None:
    documented = {name: (cells[0], cells[1]) for name, cells in tables(README)["variable"].items()}

    assert documented == variables()


def rooms() -> set[str]:
    """Every folder of the tree that holds sources, as the architecture draws them."""
    tops = {
        *("accounts", "generation", "liujuan_site", "demo_xinference", "templates", "locale"),
        *("static/studio/js", "static/studio/css", "tests", "benchmarks", "deploy", "docs"),
    }
    inside = {
        path.name
        for top in ("generation", "demo_xinference")
        for path in (ROOT / top).iterdir()
        if any(path.glob("*.py")) and path.name not in {"migrations", "templatetags"}
    }
    return {f"{name}/" for name in {*tops, *inside}}


def test_every_folder_is_in_the_architecture() -> None:
    tree = section_of(ARCHITECTURE, "The tree")
    drawn = set(re.findall(r"^ *([\w/]+/) ", tree, flags=re.MULTILINE))

    assert drawn == rooms()


def test_the_drawings_are_those_of_their_texts() -> None:
    drawings = sorted((ROOT / "docs/drawings").glob("*.txt"))

    assert len(drawings) == 5
    for path in drawings:
        assert draw(path.read_text(encoding="utf-8")) == path.with_suffix(".svg").read_text()


def test_every_path_in_the_architecture_exists() -> None:
    named = set(re.findall(r"`((?:[\w.]+/)+(?:[\w.]+)?)`", ARCHITECTURE))

    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_the_layers_are_those_that_the_lint_step_keeps() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    kept = next(each["layers"] for each in contracts if "containers" in each)

    assert "```text\n" + "\n".join(kept) + "\n```" in ARCHITECTURE


def test_every_chosen_dependency_has_its_reason_and_review() -> None:
    chosen = (ROOT / "requirements.in").read_text(encoding="utf-8")

    names = set(re.findall(r"^([\w-]+)", chosen, re.M))
    reviews = "\n".join(tables((ROOT / "docs/security.md").read_text(encoding="utf-8"))["package"])

    assert set(tables(ARCHITECTURE)["name"]) == names
    assert {each for each in names if not re.search(rf"(^|`){each}(`|$)", reviews, re.M)} == set()


LINES = re.compile(r'(?:log_line|attempt\.log)\(\s*(?:[\w.]+, )?"([a-z_]+)"')
OUTAGES = re.compile(r'Outage\(.{0,60}?, "([a-z_]+)"')


def test_every_log_line_is_in_the_operations() -> None:
    packages = ("accounts", "generation", "liujuan_site")
    sources = [path for name in packages for path in (ROOT / name).rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    written = {name for name in LINES.findall(text)} | set(task_logging.NAMES.values())
    for name in OUTAGES.findall(text):
        written |= {f"{name}_down", f"{name}_back"}

    operations = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    documented = {
        n for cell in tables(operations)["log line"] for n in re.findall(r"\w+_\w+", cell)
    }

    assert sorted(written - documented) == []
    assert sorted(documented - written - {"web_stopped"}) == []


@pytest.mark.parametrize("name", models.__all__)
def test_every_row_is_in_the_glossary(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/glossary.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_leads_somewhere(document: str) -> None:
    source = ROOT / document
    dead = []
    for link in re.findall(r"\]\(([^)\s]+)\)", source.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _hash, anchor = link.partition("#")
        target = (source.parent / path).resolve() if path else source
        lost = anchor and anchor not in anchors(target.read_text(encoding="utf-8"))
        if not target.exists() or lost:
            dead.append(link)

    assert dead == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    folders = "accounts|benchmarks|deploy|generation|liujuan_site|static|tests"
    named = re.findall(rf"`((?:{folders})/[\w./-]+)`", text)

    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_security_page_names_tests_that_exist() -> None:
    text = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    names = re.findall(r"`(test_\w+)`", text)
    tests = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py"))

    assert len(names) > 10
    assert [name for name in names if f"def {name}(" not in tests] == []

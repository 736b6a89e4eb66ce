"""The OpenAPI document describes what the operations do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from urllib.parse import unquote

import pytest
from django.test import Client, RequestFactory

from generation.api import docs_page, schemas, webhook_schemas
from generation.api.examples import CODES, EXAMPLES, problem_example
from generation.api.routes import api
from tests.api.api_program import Program
from tests.studio import ROOT
from tests.worker.demo_worker import SMALL, StartWorker

SCHEMA = api.get_openapi_schema()
OPERATIONS = [each for path in SCHEMA["paths"].values() for each in path.values()]


@pytest.mark.django_db(transaction=True)
async def test_responses_are_as_the_document_says(
    program: Program, start_worker: StartWorker
) -> None:
    await start_worker()
    body = {"prompt": "x", **SMALL}
    response = await program.post("/tasks", body, Prefer="wait=60")
    assert response.status_code == 201, response.content
    task = response.json()
    assert task["pictures"]

    for url, schema in (
        (task["urls"]["self"], schemas.Task),
        ("/tasks", schemas.TaskList),
        (task["urls"]["events"], schemas.Events),
        (task["pictures"][0]["settings_url"], schemas.PictureSettings),
        ("/me", schemas.Me),
        ("/models", schemas.ModelList),
    ):
        schema.model_validate_json((await program.get(url)).content, strict=True)
    queued = await program.post("/tasks", {"prompt": "x", "size": "2048x2048"})
    schemas.Task.model_validate_json(queued.content, strict=True)
    refused = await program.post("/tasks", {})
    schemas.Problem.model_validate_json(refused.content, strict=True)
    await program.post(queued.json()["urls"]["cancel"])


def test_every_operation_has_a_name_and_words() -> None:
    assert len({each["operationId"] for each in OPERATIONS}) == len(OPERATIONS)
    assert all(each["description"] for each in OPERATIONS)
    assert SCHEMA["openapi"].startswith("3.1")


def test_every_request_and_response_has_an_example() -> None:
    for operation in OPERATIONS:
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in (each for body in bodies for each in body.get("content", {}).values()):
            assert content["example"], operation["operationId"]


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_is_as_the_document_says(name: str) -> None:
    schema = getattr(webhook_schemas, name, None) or getattr(schemas, name)

    assert schema.model_validate_json(json.dumps(EXAMPLES[name]), strict=True)


@pytest.mark.parametrize("status", sorted(CODES))
def test_an_example_of_a_problem_is_one(status: int) -> None:
    schemas.Problem.model_validate(problem_example(status), strict=True)


@pytest.mark.django_db(transaction=True)
async def test_an_example_of_a_submission_is_accepted(program: Program, model: str) -> None:
    response = await program.post("/tasks", EXAMPLES["SubmittedTask"])

    assert response.status_code == 201
    task, example = response.json(), EXAMPLES["Task"]
    assert {**task["settings"], "seed": 7} == example["settings"]
    assert task["urls"].keys() == example["urls"].keys()


def test_every_command_has_a_whole_address() -> None:
    request = RequestFactory().get("/api/v1/docs")
    commands = [
        operation.command
        for _title, operations in docs_page.groups_of(SCHEMA, request)
        for operation in operations
    ]

    assert len(commands) == len(OPERATIONS)
    for command in commands:
        address = command.split()[-1]
        assert address.startswith("http://")
        assert "{" not in unquote(address)


def test_errors_are_problems() -> None:
    for operation in OPERATIONS:
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert next(iter(response["content"])) == "application/problem+json"
                is_for_openai = operation["operationId"] == "generate_images"
                assert len(response["content"]) == 1 + is_for_openai


@pytest.mark.django_db
def test_the_document_is_open(client: Client) -> None:
    assert client.get("/api/v1/openapi.json").json()["info"]["title"] == "LiuJuan Studio"


@pytest.mark.django_db
@pytest.mark.parametrize(("language", "words"), [("en", "Parameters"), ("zh-hans", "参数")])
def test_the_page_shows_every_operation(client: Client, language: str, words: str) -> None:
    response = client.get("/api/v1/docs", headers={"accept-language": language})

    page = response.content.decode()
    assert words in page
    for operation in OPERATIONS:
        assert f'id="{operation["operationId"]}"' in page
    assert "curl -H &quot;Authorization: Bearer $TOKEN&quot;" in page
    assert "<code>Idempotency-Key</code>" in page
    assert "default-src 'self'" in response["Content-Security-Policy"]
    assert client.post("/api/v1/docs").status_code == 405


LOADED = """
import sys
from liujuan_site import asgi, urls
from django.test import Client
from django.urls import reverse
studio = reverse("studio")
print(studio, "ninja" in sys.modules)
client = Client(headers={"host": sys.argv[1]})
print([client.post(f"{studio}{path}").status_code for path in ("api/v1/tasks", "mcp")])
print("ninja" in sys.modules, "mcp" in sys.modules)
"""
BELOW_A_PATH = """
document = client.get("/studio/api/v1/openapi.json").json()
print([path for path in document["paths"] if path.endswith("/me")])
print([client.post(f"/studio/{path}").status_code for path in ("api/v1/me", "v1/models")])
"""


def printed_by(program: str, host: str, **env: str) -> list[str]:
    """What a process prints that has loaded nothing before."""
    done = subprocess.run(
        [sys.executable, "-c", program, host],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_pages_do_not_load_the_api_and_strangers_not_mcp() -> None:
    printed = printed_by(LOADED, "localhost", MCP="0")

    assert printed == ["/ False", "[401, 404]", "True False"]


def test_below_a_path_the_operations_are_below_it_too() -> None:
    url = "http://studio.example/studio"
    printed = printed_by(LOADED + BELOW_A_PATH, "studio.example", MCP="1", PUBLIC_URL=url)

    assert printed[:3] == ["/studio/ False", "[401, 401]", "True False"]
    assert printed[3:] == ["['/studio/api/v1/me']", "[405, 405]"]

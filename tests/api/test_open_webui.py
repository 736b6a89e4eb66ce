"""Open WebUI's image settings with the engine "OpenAI".

What it sends, and how it reads the responses, is from its `backend/open_webui/routers/images.py`
of version 0.12. Its list of models and its check of the address send nothing.
"""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

import pytest
from PIL import Image

from tests.api.api_program import Program
from tests.worker.demo_worker import StartWorker

pytestmark = pytest.mark.django_db(transaction=True)

BASE_URLS = ["http://testserver/v1", "http://testserver/api/v1/openai"]
PERSON = {
    "X_OpenWebUI_User_Name": "Alice%20%E6%9D%8E",
    "X_OpenWebUI_User_Id": "5a7f",
    "X_OpenWebUI_User_Email": "alice@example.com",
    "X_OpenWebUI_User_Role": "admin",
}
"""With ENABLE_FORWARD_USER_INFO_HEADERS."""

ANSWERS_WITH_ADDRESSES = re.compile("^gpt-image")
"""Models for which it asks for no format."""


def body_of(prompt: str, *, model: str, n: int = 1, size: str = "512x512") -> dict[str, Any]:
    body = {"model": model or "dall-e-2", "prompt": prompt, "n": n}
    if size:
        body["size"] = size
    if not ANSWERS_WITH_ADDRESSES.match(model):
        body["response_format"] = "b64_json"
    return body


async def pictures_of(program: Program, response: Any) -> list[bytes]:
    """As it reads them: an address before base64, and only if it is a picture."""
    assert response.status_code < 400, response.content
    parts = response.streaming_content if response.streaming else None
    text = response.content if parts is None else b"".join([part async for part in parts])
    files = []
    for image in json.loads(text)["data"]:
        if url := image.get("url"):
            assert url.startswith(("http://", "https://"))
            file = await program.get(url)
            assert file["Content-Type"].split("/")[0] == "image"
            files.append(file.content)
        else:
            files.append(base64.b64decode(image["b64_json"]))
    return files


def size_of(file: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(file)) as picture:
        return picture.size


@pytest.mark.parametrize("base_url", BASE_URLS)
async def test_a_prompt_of_a_chat_becomes_a_picture(
    program: Program, model: str, start_worker: StartWorker, base_url: str
) -> None:
    await start_worker()

    response = await program.post(
        f"{base_url}/images/generations", body_of("a hill", model=model, size="256x256"), **PERSON
    )

    assert [size_of(file) for file in await pictures_of(program, response)] == [(256, 256)]


async def test_its_other_settings_are_understood(
    program: Program, model: str, start_worker: StartWorker
) -> None:
    """Additional parameters, an API version, several pictures."""
    await start_worker()
    more = {"steps": 4, "seed": 7, "quality": "hd"}

    response = await program.post(
        f"{BASE_URLS[0]}/images/generations?api-version=2025-04-01-preview",
        {**body_of("a hill", model=model, n=2, size="256x256"), **more},
    )

    assert len(await pictures_of(program, response)) == 2


async def test_pictures_that_it_fetches_by_address(
    program: Program, model: str, start_worker: StartWorker
) -> None:
    await start_worker()
    body = body_of("a hill", model=model, size="256x256")
    del body["response_format"]

    response = await program.post(f"{BASE_URLS[0]}/images/generations", body)

    assert [size_of(file) for file in await pictures_of(program, response)] == [(256, 256)]


async def test_without_a_name_its_own_model_is_refused(program: Program, model: str) -> None:
    """It shows the reason of the status, so the setting has to be right."""
    response = await program.post(f"{BASE_URLS[0]}/images/generations", body_of("x", model=""))

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "model_unknown"


async def test_edits_are_not_offered(program: Program) -> None:
    response = await program.client.post(
        f"{BASE_URLS[0]}/images/edits",
        {"model": "gpt-image-1", "prompt": "more red", "image": io.BytesIO(b"x")},
        headers=program.headers,
    )

    assert response.status_code == 404


async def test_a_connection_of_its_chats_finds_the_model(program: Program, model: str) -> None:
    """Its other settings list the models of an address."""
    for base_url in BASE_URLS:
        listed = (await program.get(f"{base_url}/models")).json()
        assert [each["id"] for each in listed["data"]] == [model]

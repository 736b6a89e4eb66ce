"""The modules that draw a card in the browser, in Node processes that answer questions."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import RequestFactory
from django.urls import resolve, reverse
from django.utils import translation

from generation.protocol import encode

SCRIPT = Path(__file__).parent / "js" / "cards.js"
Ask = Callable[[dict[str, Any]], Any]


class Asking:
    """Context of one Node process."""

    def __init__(self, node: str, language: str, folders: pytest.TempPathFactory) -> None:
        catalogue = folders.mktemp("catalogue") / f"{language}.js"
        url = reverse("javascript-catalog")
        with translation.override(language):
            catalogue.write_bytes(resolve(url).func(RequestFactory().get(url)).content)
        self.command = [node, str(SCRIPT), language, str(catalogue)]

    def __enter__(self) -> Ask:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            self.command, stdin=pipe, stdout=pipe, text=True, env={"TZ": "UTC"}
        )
        return self.ask

    def ask(self, question: dict[str, Any]) -> Any:
        asked, answered = self.process.stdin, self.process.stdout
        assert asked is not None
        assert answered is not None
        asked.write(encode(question) + "\n")
        asked.flush()
        return json.loads(answered.readline())

    def __exit__(self, *error: object) -> None:
        with self.process as process:
            assert process.stdin is not None
            process.stdin.close()

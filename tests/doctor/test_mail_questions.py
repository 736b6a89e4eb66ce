"""Questions about the mail server."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from django.test import override_settings

from generation.management.doctor import delivery_questions
from tests.studio import free_port

SMTP = "django.core.mail.backends.smtp.EmailBackend"
REFUSED = "nobody@mail.example"


class Smtp(socketserver.StreamRequestHandler):
    """As much of SMTP as a client needs; it refuses mail for REFUSED."""

    received: ClassVar[list[str]] = []

    def handle(self) -> None:
        self.answer("220 here")
        for line in self.rfile:
            verb = line.decode().strip().upper()
            if verb == "DATA":
                self.answer("354 go on")
                self.take()
            elif REFUSED.upper() in verb and verb.startswith("RCPT"):
                self.answer("550 no such user")
            else:
                self.answer("250 ok")
            if verb == "QUIT":
                return

    def take(self) -> None:
        lines = list(iter(self.rfile.readline, b".\r\n"))
        self.received.append(b"".join(lines).decode())
        self.answer("250 taken")

    def answer(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def smtp_port() -> Iterator[int]:
    Smtp.received.clear()
    with socketserver.TCPServer(("127.0.0.1", 0), Smtp) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def states(port: int, address: str | None) -> list[str]:
    here = {"EMAIL_BACKEND": SMTP, "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": port}
    with override_settings(EMAIL_URL="smtp://127.0.0.1", EMAIL_FILE_PATH="", **here):
        return [each.state for each in delivery_questions.ask_mail_server(address)]


def test_a_mail_is_sent_only_if_it_is_asked_for(smtp_port: int) -> None:
    assert states(smtp_port, None) == ["yes", "skipped"]
    assert Smtp.received == []

    assert states(smtp_port, "ops@mail.example") == ["yes", "yes"]
    assert "To: ops@mail.example" in Smtp.received[0]


def test_a_mail_that_is_refused(smtp_port: int) -> None:
    assert states(smtp_port, REFUSED) == ["yes", "no"]


def test_a_mail_server_that_is_away() -> None:
    assert states(free_port(), "ops@mail.example") == ["no", "skipped"]


def test_mails_as_files(tmp_path: Path) -> None:
    def asked(folder: Path) -> list[str]:
        with override_settings(EMAIL_URL="file:///mail", EMAIL_FILE_PATH=str(folder)):
            return [each.state for each in delivery_questions.ask_mail_server(None)]

    assert asked(tmp_path) == ["yes", "skipped"]
    assert asked(tmp_path / "missing") == ["no", "skipped"]

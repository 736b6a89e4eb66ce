"""The studio in production behind nginx, for browsers and programs."""

from __future__ import annotations

import json
import re
import ssl
from pathlib import Path
from typing import Any

import httpx

from tests.demo_faults import FAST, SLOW
from tests.process.nginx import Nginx
from tests.process.secure_socket import SecureSocket
from tests.production import Production
from tests.studio import PATIENCE, free_port

PASSWORD = "correct horse battery staple"


class Site:
    """Two webs and a worker behind nginx with TLS, and a task of Alice's that was drawn there."""

    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"https://127.0.0.1:{port}"
        self.production = Production(
            folder,
            webs=2,
            speed=FAST,
            faults=[SLOW],
            PUBLIC_URL=self.url,
            ACCEL_REDIRECT="/_media",
            TRUSTED_PROXIES="1",
        )
        self.data_dir = folder / "data"
        webs = [web.port for web in self.production.webs]
        self.nginx = Nginx(folder / "nginx", webs=webs, data_dir=self.data_dir, tls_port=port)

    def start(self) -> None:
        self.production.start()
        self.nginx.start()
        self.alice = self.production.user("alice")
        self.bob = self.production.user("bob")
        with self.socket(self.alice) as socket:
            self.messages = generate(socket)
        self.picture = self.messages[-1]["data"]["data"][0]

    def stop(self) -> None:
        self.nginx.stop()
        self.production.stop()

    @property
    def trust(self) -> ssl.SSLContext:
        return self.nginx.trust()

    def client(self, token: str | None = None) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, verify=self.trust, headers=headers, timeout=PATIENCE)

    def sign_in(self, client: httpx.Client) -> None:
        """Sign Alice in with the form."""
        code = (
            "from django.contrib.auth.models import User; u = User.objects.get(username='alice');"
            f"u.set_password({PASSWORD!r}); u.save()"
        )
        self.production.manage("shell", "--no-imports", "-c", code)
        form = client.get("/accounts/sign-in/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text)
        assert token
        signed_in = client.post(
            "/accounts/sign-in/",
            data={"login": "alice", "password": PASSWORD, "csrfmiddlewaretoken": token[1]},
            headers={"Origin": self.url},
        )
        assert (signed_in.status_code, signed_in.headers["Location"]) == (302, "/")

    def socket(self, token: str | None = None, **headers: str) -> SecureSocket:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        address = self.url.replace("https:", "wss:") + "/ws/generate"
        return SecureSocket(address, trust=self.trust, headers=headers)

    def file(self) -> Path:
        """The file of Alice's picture."""
        return Path(self.data_dir, "media", self.name_in("file"))

    def has_thumbnail(self) -> bool:
        return bool(self.name_in("thumbnail"))

    def name_in(self, column: str) -> str:
        rows = f"select {column} from generation_generatedimage where task_id = %s"
        ((name,),) = self.production.query(rows, self.messages[-1]["task_id"])
        return str(name)


def generate(socket: SecureSocket) -> list[dict[str, Any]]:
    """Every message of a new task, up to its end."""
    socket.send(json.dumps({"action": "generate", "prompt": "LiuJuan", "size": "256x256"}))
    messages: list[dict[str, Any]] = []
    while not messages or messages[-1]["type"] not in ("result", "error", "cancelled"):
        messages.append(json.loads(socket.recv()))
    return messages

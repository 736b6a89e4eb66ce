"""The OpenID provider of tests as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.process import openid_provider as idp
from tests.studio import ROOT, Studio

BEGIN = "/accounts/oidc/provider/login/"


def without(prefix: str, env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if not name.startswith(prefix)}


def settings_for(port: int) -> dict[str, str]:
    """The settings of a studio whose users have accounts at the provider at `port`."""
    return {
        "OIDC_SERVER": f"http://127.0.0.1:{port}",
        "OIDC_CLIENT_ID": idp.CLIENT,
        "OIDC_CLIENT_SECRET": idp.SECRET,
        "OIDC_NAME": "Bamboo",
        "OIDC_SIGNUP": "1",
    }


class Provider:
    """Knows the people of `openid_provider`; leads back to `studios`."""

    def __init__(self, folder: Path, studios: Sequence[Studio], port: int) -> None:
        redirect_uris = [f"{studio.url}{BEGIN}callback/" for studio in studios]
        self.url = f"http://127.0.0.1:{port}"
        module = idp.__name__
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(port), str(folder), *redirect_uris],
            cwd=ROOT,
            env=without("DJANGO_SETTINGS_MODULE", os.environ),
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """It accepts connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)
        yield
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

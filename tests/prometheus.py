"""Debian's Prometheus as a private instance, and its tool."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Self

import pytest
from ruamel.yaml import YAML

from tests.studio import ROOT, free_port, wait_until

MONITORING = ROOT / "deploy/monitoring"
needs_prometheus = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="prometheus is not installed"
)


def promtool(*arguments: str, folder: Path) -> None:
    """Run it in `folder`; fails with its output."""
    done = subprocess.run(
        ["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def read_yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path)


class Prometheus:
    """The configuration of deploy/, with other targets, and alerts that wait for a second."""

    def __init__(self, folder: Path, targets: dict[str, list[str]]) -> None:
        """`targets`: those of the jobs that scrape."""
        self.folder = folder
        self.url = f"http://127.0.0.1:{free_port()}"
        config = read_yaml(MONITORING / "prometheus.yml")
        config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
        config["global"]["scrape_timeout"] = "500ms"
        config["alerting"] = {}
        scrapes = {each["job_name"]: each for each in config["scrape_configs"]}
        for job, addresses in targets.items():
            scrapes[job]["static_configs"] = [{"targets": addresses}]
        config["scrape_configs"] = [scrapes[job] for job in targets]
        rules = read_yaml(MONITORING / "alerts.yml")
        for rule in rules["groups"][0]["rules"]:
            rule["for"] = "1s"
        folder.mkdir()
        for name, content in (("prometheus.yml", config), ("alerts.yml", rules)):
            with (folder / name).open("w") as file:
                YAML(typ="safe").dump(content, file)
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    "prometheus",
                    "--config.file=prometheus.yml",
                    "--storage.tsdb.path=data",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                ],
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *error: Any) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def get(self, path: str, **query: str) -> Any:
        """The data of its API; None while it does not answer."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(address, timeout=10) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def values(self, expression: str) -> dict[str, float]:
        """Value by instance, empty for a sum."""
        data = self.get("query", query=expression) or {"result": []}
        return {
            each["metric"].get("instance", ""): float(each["value"][1]) for each in data["result"]
        }

    def firing(self) -> set[tuple[str, str]]:
        """(alert, instance) of each that fires."""
        data = self.get("alerts") or {"alerts": []}
        return {
            (each["labels"]["alertname"], each["labels"].get("instance", ""))
            for each in data["alerts"]
            if each["state"] == "firing"
        }

    def wait_for(self, *alerts: tuple[str, str]) -> None:
        """Until exactly these fire."""
        wait_until(lambda: self.firing() == set(alerts), what=f"{alerts} fire, and nothing else")

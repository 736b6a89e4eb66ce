# ruff: noqa: T201
"""A real Xinference with a tiny model: start it, wait until it draws, stop all of it.

    python tests/real_xinference/server.py --port P --metrics-port M --home DIR

Runs in the environment made from the requirements.txt beside it, with nothing of the studio.
Prints "READY url model" once it draws; ends with everything it started on SIGINT, SIGTERM, or
when its parent is gone. Exit code 1: the server died, or never became ready.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

MODEL = "LiuJuan20260223Zimage"
HERE = Path(__file__).resolve().parent
PATIENCE = 180.0
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RealServer:
    """What tests may know of a running one; `runner` is the process id of this script."""

    url: str
    model: str
    runner: int

    def model_pids(self) -> list[int]:
        """Process ids of its model processes, one for each replica; empty while none runs."""
        return [pid for pid in below(self.runner) if title(pid).startswith("Model: ")]


def below(ancestor: int) -> list[int]:
    """Every process below `ancestor`; orphans are inherited by the next subreaper."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parent = int(stat.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.name))
    found, left = [], [ancestor]
    while left:
        for child in children.get(left.pop(), []):
            found.append(child)
            left.append(child)
    return found


def title(pid: int) -> str:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return ""
    return line.replace(b"\0", b" ").decode(errors="replace")


class Stopped(Exception):
    """A signal asked for the end."""


def on_signal(number: int, frame: FrameType | None) -> None:
    raise Stopped


def end_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent ends (Linux)."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise Stopped


def adopt_orphans() -> None:
    """Xinference's model processes outlive their parents; let them come to us, not to init."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_child_subreaper, 1)


def call(method: str, url: str, body: Any = None, seconds: float = PATIENCE) -> Any:
    request = urllib.request.Request(
        url,
        method=method,
        headers={"Content-Type": "application/json"},
        data=None if body is None else json.dumps(body).encode(),
    )
    with urllib.request.urlopen(request, timeout=seconds) as response:
        return json.loads(response.read() or b"null")


def start(port: int, metrics_port: int, home: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "XINFERENCE_HOME": str(home),
        "XINFERENCE_ENABLE_VIRTUAL_ENV": "0",
        "XINFERENCE_AUTH_ADVANCED": "0",
        "XINFERENCE_TOKEN_ROUTER_ENABLED": "0",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
    }
    program = Path(sys.executable).with_name("xinference-local")
    metrics = ["--metrics-exporter-host", "127.0.0.1", "--metrics-exporter-port", str(metrics_port)]
    with (home / "server.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, str(program), "-H", "127.0.0.1", "-p", str(port), *metrics],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"xinference-local ended with {process.returncode}")
        try:
            call("GET", f"{url}/v1/cluster/auth", seconds=5)
            return
        except (OSError, ValueError):
            time.sleep(0.5)
    raise RuntimeError(f"no answer from {url} within {PATIENCE:.0f} s")


def launch(url: str, home: Path, weights: Path) -> None:
    # 4.1.0 removes empty cache folders when it starts, and then fails to link a local model there
    (home / "cache" / "v2").mkdir(parents=True, exist_ok=True)
    description = {
        "version": 2,
        "model_name": MODEL,
        "model_family": "stable_diffusion",
        "model_id": None,
        "model_revision": None,
        "model_uri": str(weights),
        "model_ability": ["text2image", "image2image"],
        "controlnet": None,
        # without a type it loads float16, which a CPU is very slow at
        "default_model_config": {"torch_dtype": "float32", "low_cpu_mem_usage": False},
        "default_generate_config": {"num_inference_steps": 9, "guidance_scale": 0},
    }
    registration = {"model": json.dumps(description), "persist": False}
    call("POST", f"{url}/v1/model_registrations/image", registration)
    call(
        "POST",
        f"{url}/v1/models",
        {
            "model_uid": MODEL,
            "model_name": MODEL,
            "model_type": "image",
            "model_engine": "diffusers",
            "n_gpu": None,
            "enable_virtual_env": False,
        },
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask, wait, insist; then kill whatever is still below us."""
    for number, patience in ((signal.SIGINT, 15), (signal.SIGTERM, 5)):
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
    while pids := below(os.getpid()):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        # orphans below come to us as they lose their parents, each to be reaped
        os.waitpid(-1, 0)


def serve(port: int, metrics_port: int, home: Path) -> int:
    weights = home / "tiny-zimage"
    if not weights.is_dir():
        subprocess.run([sys.executable, str(HERE / "build_model.py"), str(weights)], check=True)
    process = start(port, metrics_port, home)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(url, process)
        launch(url, home, weights)
        print("READY", url, MODEL, flush=True)
        process.wait()
        print(f"xinference-local ended with {process.returncode}", file=sys.stderr)
    except urllib.error.HTTPError as error:
        print(f"{error}: {error.read().decode(errors='replace')}", file=sys.stderr)
    except (RuntimeError, OSError) as error:
        print(error, file=sys.stderr)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        stop(process)
    print(f"its log: {home / 'server.log'}", file=sys.stderr)
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(description="a real Xinference with a tiny model")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--metrics-port", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True, help="models, cache and log go there")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        end_with_parent()
        adopt_orphans()
        home = options.home.resolve()
        home.mkdir(parents=True, exist_ok=True)
        return serve(options.port, options.metrics_port, home)
    except Stopped:
        return 0


if __name__ == "__main__":
    sys.exit(main())

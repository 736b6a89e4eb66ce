"""Draw one picture over the API with httpx, print its progress, and save it.

    pip install httpx
    python examples/draw_over_http.py --token "$(.venv/bin/python manage.py create_token studio)"

Exit status: 0 the picture is saved, 1 the task failed or was cancelled.
"""

from __future__ import annotations

import argparse
import json
import sys
import uuid
from pathlib import Path

import httpx


def draw(client: httpx.Client, prompt: str, file: Path) -> int:
    # the same key for a repeated request: it can never draw twice
    headers = {"Idempotency-Key": str(uuid.uuid4())}
    created = client.post("/api/v1/tasks", json={"prompt": prompt}, headers=headers)
    created.raise_for_status()
    task = created.json()
    last = follow(client, task["urls"]["stream"])
    if last["status"] != "completed":
        print(f"{last['status']}: {last['message']}", file=sys.stderr)
        return 1
    task = client.get(task["urls"]["self"]).raise_for_status().json()
    file.write_bytes(client.get(task["pictures"][0]["url"]).raise_for_status().content)
    print(file)
    return 0


def follow(client: httpx.Client, url: str) -> dict[str, str]:
    """Print the events of a task; return the last. After a lost connection it continues."""
    seq, event = 0, {"status": "queued", "message": ""}
    while event["status"] in ("queued", "running"):
        try:
            with client.stream("GET", url, headers={"Last-Event-ID": str(seq)}) as response:
                response.raise_for_status()
                for line in response.iter_lines():
                    if line.startswith("data: ") and "seq" in (read := json.loads(line[6:])):
                        event, seq = read, read["seq"]
                        print(f"{event['progress']:5.1f} % {event['step']}", flush=True)
        except httpx.TransportError as error:
            print(f"reconnecting: {error}", file=sys.stderr)
    return event


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--token", required=True)
    parser.add_argument("--prompt", default="LiuJuan")
    parser.add_argument("--file", type=Path, default=Path("picture.jpg"))
    options = parser.parse_args()
    headers = {"Authorization": f"Bearer {options.token}"}
    with httpx.Client(base_url=options.url, headers=headers, timeout=90) as client:
        return draw(client, options.prompt, options.file)


if __name__ == "__main__":
    sys.exit(main())

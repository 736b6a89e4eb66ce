"""Receive messages of a webhook, verify them, and save the pictures of finished tasks.

    pip install httpx standardwebhooks
    python examples/receive_webhooks.py --secret whsec_… --token "$TOKEN" --folder pictures

The webhook's address is the one that it prints; from outside it is that of the server in front,
with TLS. With `--once` it ends after the first task.
Exit status: 0 the pictures are saved, 1 they could not be, or the task failed or was cancelled.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

MOST_BYTES = 1024 * 1024
PAUSES = (1, 5, 30)
"""Seconds before each further attempt to save pictures."""


class Receiver(ThreadingHTTPServer):
    def __init__(self, port: int, secret: str) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.webhook = Webhook(secret)
        self.seen: set[str] = set()
        self.messages: queue.Queue[dict[str, Any]] = queue.Queue()


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= MOST_BYTES:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        try:
            self.server.webhook.verify(body, dict(self.headers))
        except WebhookVerificationError as error:
            self.send_error(401, str(error))
            return
        # answer first and work afterwards: a slow answer would be repeated
        self.send_response(204)
        self.end_headers()
        # a message may arrive twice, under the same id
        message_id = self.headers["webhook-id"]
        if message_id not in self.server.seen:
            self.server.seen.add(message_id)
            self.server.messages.put(json.loads(body))

    def log_message(self, format: str, *args: object) -> None:
        print(format % args, file=sys.stderr)


def save(task: dict[str, Any], token: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for picture in task["pictures"]:
        headers = {"Authorization": f"Bearer {token}"}
        response = httpx.get(picture["url"], headers=headers, timeout=60).raise_for_status()
        kind = response.headers["Content-Type"].removeprefix("image/")
        file = folder / f"{task['id']}-{picture['index']}.{kind}"
        file.write_bytes(response.content)
        print(file, flush=True)


def saved(task: dict[str, Any], token: str, folder: Path) -> bool:
    """Whether the pictures were saved; the message was answered, so the studio repeats nothing."""
    for pause in (*PAUSES, None):
        try:
            save(task, token, folder)
            return True
        except httpx.HTTPError as error:
            print(f"{task['id']}: {error!r}", file=sys.stderr, flush=True)
            if pause is None or is_final(error):
                break
            time.sleep(pause)
    return False


def is_final(error: httpx.HTTPError) -> bool:
    """Whether a repetition gets the same answer, such as 404 for a picture in the trash."""
    if not isinstance(error, httpx.HTTPStatusError):
        return False
    return error.response.is_client_error and error.response.status_code != 429


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--secret", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--folder", type=Path, default=Path("pictures"))
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    receiver = Receiver(options.port, options.secret)
    Thread(target=receiver.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{receiver.server_port}/", flush=True)
    while True:
        message = receiver.messages.get()
        task = message["data"]
        success = False
        if message["type"] == "task.completed":
            success = saved(task, options.token, options.folder)
        elif message["type"] in ("task.failed", "task.cancelled"):
            print(f"{task['id']}: {task['status']}", file=sys.stderr)
        else:
            continue
        if options.once:
            return 0 if success else 1


if __name__ == "__main__":
    sys.exit(main())

"""Minimum of a page: the same HTML, one style sheet, one script, no work on the server.

Sends the files of the folder STATIC_PAGE, compressed like the studio's.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path

from benchmarks.servers.process_counts import Receive, Scope, Send, with_figures

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript"}
FILES = {
    f"/{path.name}": (TYPES[path.suffix], gzip.compress(path.read_bytes()))
    for path in Path(os.environ.get("STATIC_PAGE", "/nowhere")).glob("*.*")
}


async def send_file(scope: Scope, receive: Receive, send: Send) -> None:
    kind, body = FILES.get(scope["path"], ("text/plain", b""))
    headers = [(b"content-type", kind.encode()), (b"content-encoding", b"gzip")]
    headers.append((b"content-length", str(len(body)).encode()))
    status = 200 if body else 404
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


application = with_figures(send_file, dict)

"""Minimum of a page that follows a broadcast: static HTML and a script that shows a number."""

from __future__ import annotations

from benchmarks.servers import bare_broadcast
from benchmarks.servers.bare_broadcast import PUBLISH
from benchmarks.servers.process_counts import Receive, Scope, Send, with_figures

PAGE = b"""<!doctype html>
<meta charset="utf-8">
<title>bare</title>
<p id="number">0</p>
<script>
  const number = document.getElementById("number");
  const socket = new WebSocket(`ws://${location.host}/ws/generate`);
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.type === "hello") document.body.dataset.ready = "";
    if (frame.seq) number.textContent = frame.seq;
  };
</script>
"""
HEADERS = [(b"content-type", b"text/html; charset=utf-8")]


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket" or scope["path"] == PUBLISH:
        await bare_broadcast.serve(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": PAGE})


application = with_figures(serve, dict)

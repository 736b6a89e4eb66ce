"""The design of a tutorial: the steps are sleeps around one call.

Nothing is stored: a reloaded page has lost task and picture. XINFERENCE_URL is the model server.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from benchmarks.servers.process_counts import Receive, Scope, Send, with_figures

MODEL_URL = os.environ.get("XINFERENCE_URL", "") + "/v1/images/generations"
model = httpx.AsyncClient(
    timeout=60, trust_env=False, limits=httpx.Limits(max_connections=None, keepalive_expiry=60)
)
BEFORE = (
    ("正在解析提示词", 10, 0.5),
    ("正在加载模型权重", 25, 1.0),
    ("正在初始化图像生成参数", 40, 1.0),
)
CALL = ("正在生成潜在表示", 60)
AFTER = (("正在解码图像", 80, 0.5), ("正在执行后期处理", 95, 0.3))

SendFrame = Callable[[dict[str, Any]], Awaitable[None]]


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    async def send_frame(message: dict[str, Any]) -> None:
        await send({"type": "websocket.send", "text": json.dumps(message)})

    await receive()
    await send({"type": "websocket.accept"})
    await send_frame({"type": "hello"})
    drawing: set[asyncio.Task[None]] = set()
    while (event := await receive())["type"] != "websocket.disconnect":
        message_in = json.loads(event["text"])
        await send_frame(
            {"type": "ack", "message": "任务已接收", "connection_id": uuid.uuid4().hex}
        )
        task = asyncio.create_task(generate(message_in["prompt"], send_frame))
        drawing.add(task)
        task.add_done_callback(drawing.discard)


async def generate(prompt: str, send_frame: SendFrame) -> None:
    await sleep_through(BEFORE, send_frame)
    await step(*CALL, send_frame)
    order = {"prompt": prompt, "n": 1, "size": "512x512", "response_format": "url"}
    answer = await model.post(MODEL_URL, json=order)
    await sleep_through(AFTER, send_frame)
    await send_frame(
        {"type": "result", "data": answer.json(), "progress": 100, "status": "completed"}
    )


async def sleep_through(steps: tuple[tuple[str, int, float], ...], send_frame: SendFrame) -> None:
    for message, percent, seconds in steps:
        await step(message, percent, send_frame)
        await asyncio.sleep(seconds)


async def step(message: str, percent: int, send_frame: SendFrame) -> None:
    now = time.time()
    await send_frame(
        {"type": "progress", "message": message, "progress": percent, "timestamp": now}
    )


application = with_figures(serve, dict)

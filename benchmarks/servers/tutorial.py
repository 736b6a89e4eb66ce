"""The design of a tutorial: the steps are sleeps around one call, the memory is one connection.

Nothing is stored and nobody else is told: who reloads the page has lost task and picture.
XINFERENCE_URL names the model server.
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

from benchmarks.servers.process_counts import with_figures

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

Say = Callable[[dict[str, Any]], Awaitable[None]]


async def serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
    async def say(message: dict[str, Any]) -> None:
        await send({"type": "websocket.send", "text": json.dumps(message)})

    await receive()
    await send({"type": "websocket.accept"})
    await say({"type": "hello"})
    drawing: set[asyncio.Task[None]] = set()
    while (event := await receive())["type"] != "websocket.disconnect":
        asked = json.loads(event["text"])
        await say({"type": "ack", "message": "任务已接收", "connection_id": uuid.uuid4().hex})
        task = asyncio.create_task(generate(asked["prompt"], say))
        drawing.add(task)
        task.add_done_callback(drawing.discard)


async def generate(prompt: str, say: Say) -> None:
    await pretend(BEFORE, say)
    await step(*CALL, say)
    order = {"prompt": prompt, "n": 1, "size": "512x512", "response_format": "url"}
    answer = await model.post(MODEL_URL, json=order)
    await pretend(AFTER, say)
    await say({"type": "result", "data": answer.json(), "progress": 100, "status": "completed"})


async def pretend(steps: tuple[tuple[str, int, float], ...], say: Say) -> None:
    for message, percent, seconds in steps:
        await step(message, percent, say)
        await asyncio.sleep(seconds)


async def step(message: str, percent: int, say: Say) -> None:
    now = time.time()
    await say({"type": "progress", "message": message, "progress": percent, "timestamp": now})


application = with_figures(serve, dict)

"""Draw one picture over the Model Context Protocol, print its progress, and save it.

pip install mcp
python examples/draw_with_mcp.py --token "$(.venv/bin/python manage.py create_token studio)"

Exit status: 0 the picture is saved, 1 the task failed or goes on without this program.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import sys
from pathlib import Path

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ImageContent, TextContent


async def show(progress: float, total: float | None, message: str | None) -> None:
    print(f"{progress:5.1f} % {message}", flush=True)


async def draw(url: str, token: str, prompt: str) -> CallToolResult:
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=90) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
    ):
        arguments = {"prompt": prompt, "size": "512x512"}
        return await client.call_tool("draw", arguments, progress_callback=show)


def save(result: CallToolResult, file: Path) -> int:
    for content in result.content:
        if isinstance(content, ImageContent):
            file.write_bytes(base64.b64decode(content.data))
            print(file)
            return 0
        if isinstance(content, TextContent):
            print(content.text, file=sys.stderr)
    return 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--token", required=True)
    parser.add_argument("--prompt", default="LiuJuan")
    parser.add_argument("--file", type=Path, default=Path("picture.jpg"))
    options = parser.parse_args()
    result = asyncio.run(draw(options.url, options.token, options.prompt))
    return save(result, options.file)


if __name__ == "__main__":
    sys.exit(main())

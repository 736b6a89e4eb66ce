"""Send one prompt to a studio and print every message until the picture is stored.

    pip install websockets
    python examples/watch_generation.py --token "$(.venv/bin/python manage.py create_token studio)"

Exit status: 0 result, 1 error or cancelled, 2 the connection was refused or lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

ENDINGS = {"result": 0, "error": 1, "cancelled": 1}


async def watch(url: str, token: str, prompt: str) -> int:
    """Print each message as one line of JSON; return the exit status."""
    headers = {"Authorization": f"Bearer {token}"}
    async with connect(url, additional_headers=headers) as socket:
        await socket.send(json.dumps({"action": "generate", "prompt": prompt}))
        async for text in socket:
            message = json.loads(text)
            print(json.dumps(message, ensure_ascii=False), flush=True)
            if message["type"] in ENDINGS:
                return ENDINGS[message["type"]]
        print(f"closed: {socket.close_code}", file=sys.stderr)
        return 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="ws://127.0.0.1:8000/ws/generate")
    parser.add_argument("--token", required=True)
    parser.add_argument("--prompt", default="LiuJuan")
    options = parser.parse_args()
    try:
        return asyncio.run(watch(options.url, options.token, options.prompt))
    except (OSError, WebSocketException) as error:
        print(f"no connection: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())

"""Draw one picture with OpenAI's client, and save it.

pip install openai
python examples/draw_with_openai.py --token "$(.venv/bin/python manage.py create_token studio)"
"""

from __future__ import annotations

import argparse
import base64
import sys
from pathlib import Path

from openai import OpenAI


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--token", required=True)
    parser.add_argument("--prompt", default="LiuJuan")
    parser.add_argument("--file", type=Path, default=Path("picture.jpg"))
    options = parser.parse_args()
    client = OpenAI(base_url=f"{options.url}/v1", api_key=options.token)
    response = client.images.generate(
        prompt=options.prompt, size="512x512", response_format="b64_json"
    )
    (picture,) = response.data or []
    options.file.write_bytes(base64.b64decode(picture.b64_json or ""))
    print(options.file)
    return 0


if __name__ == "__main__":
    sys.exit(main())

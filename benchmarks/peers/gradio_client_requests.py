"""Gradio's own Python client: each line of standard input requests a picture of the page at URL.

Prints the seconds of each.
"""

from __future__ import annotations

import sys
import time

from gradio_client import Client

if __name__ == "__main__":
    client = Client(sys.argv[1], verbose=False, download_files=False)
    print("ready", flush=True)
    for _line in sys.stdin:
        began = time.perf_counter()
        client.predict("LiuJuan", api_name="/draw")
        print(time.perf_counter() - began, flush=True)

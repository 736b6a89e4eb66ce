"""Run the demo model as a server."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from demo_xinference import faults
from demo_xinference.app import create_app


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m demo_xinference", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9997, help="0 = any free one")
    parser.add_argument("--model", default="LiuJuan20260223Zimage")
    parser.add_argument("--engine", choices=("diffusers", "vllm"), default="diffusers")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--speed", type=float, default=1.0, help="20 = a twentieth of the work")
    parser.add_argument("--api-key", default="")
    parser.add_argument("--request-limits", type=int, help="calls that may wait for each replica")
    parser.add_argument("--faults", metavar="FILE", help="scripted faults, a JSON list")
    parser.add_argument("--journal", metavar="FILE", type=Path, help="a line per call, and its end")
    options = parser.parse_args()
    try:
        scripted = faults.load(options.faults) if options.faults else []
    except (OSError, faults.FaultError) as error:
        print(f"--faults: {error}", file=sys.stderr)
        return 2
    app = create_app(
        model=options.model,
        engine=options.engine,
        replicas=options.replicas,
        speed=options.speed,
        api_key=options.api_key,
        request_limits=options.request_limits,
        faults=scripted,
        journal=options.journal,
    )
    # imported here, because it installs Twisted's reactor, which --help does not need
    from demo_xinference.server import serve

    serve(app, host=options.host, port=options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())

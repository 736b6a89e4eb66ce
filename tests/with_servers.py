"""`python -m tests.with_servers COMMAND…`: run it on a private PostgreSQL and Redis.

The command gets them in DATABASE_URL and REDIS_URL; both stop with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.stores import Postgres, Redis


def main(command: list[str]) -> int:
    # exit normally, so that the servers are stopped
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="liujuan-servers-") as folder:
        postgres, redis = Postgres(Path(folder)), Redis(Path(folder))
        try:
            postgres.start()
            redis.start()
            env = {**os.environ, "DATABASE_URL": postgres.url, "REDIS_URL": redis.url}
            return subprocess.run(command, env=env).returncode
        finally:
            redis.stop()
            postgres.stop("immediate")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

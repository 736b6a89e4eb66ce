"""Run one module on the database of the settings."""

from __future__ import annotations

import gc
import json
import os
import sys
from importlib import import_module

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liujuan_site.settings")
    django.setup()
    figure = import_module(f"benchmarks.inside.{sys.argv[1]}")
    # as the product does after its start
    gc.collect()
    gc.freeze()
    print(json.dumps(figure.run(**json.load(sys.stdin))))


if __name__ == "__main__":
    main()

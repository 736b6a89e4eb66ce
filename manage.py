#!/usr/bin/env python
"""Django's command line for the studio."""

from __future__ import annotations

import os
import sys

from django import get_version

from liujuan_site import VERSION
from liujuan_site.command_line import run


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "liujuan_site.settings")
    if sys.argv[1:] in (["version"], ["--version"]):
        # before the settings are read: Django would answer with its own version alone
        sys.stdout.write(f"LiuJuan Studio {VERSION} (Django {get_version()})\n")
        return
    run(sys.argv)


if __name__ == "__main__":
    main()

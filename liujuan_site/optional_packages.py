"""Packages that only some settings need."""

from __future__ import annotations

from importlib.util import find_spec

from liujuan_site.environment import Environment

LIST = "requirements-observability.txt"


def refuse_without_packages(env: Environment, setting: str, *modules: str) -> None:
    """Note a mistake if one of the modules of a setting is not installed."""
    if not all(is_installed(module) for module in modules):
        env.refuse(
            f"{setting} is set, and its packages are not installed. "
            f"Type python -m pip install --require-hashes -r {LIST}"
        )


def is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        # a package above it is missing
        return False

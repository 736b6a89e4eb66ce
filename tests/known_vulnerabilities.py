"""Compares the pinned packages with PyPI's list of known vulnerabilities: `make audit`.

Exit code 1 if a vulnerability is known. If the list cannot be read, that is printed, and the exit
code is 0: pip-audit alone would report no vulnerabilities then.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
LISTS = ("requirements-bench.txt", "requirements-peers.txt", "requirements-tools.txt")
"""These contain the others."""

TIMEOUT = 120
"""Seconds for one list."""


class Audit(NamedTuple):
    """`checked`: how many packages; `unchecked`: names of those that could not be looked up."""

    checked: int
    unchecked: list[str]
    findings: list[str]


def read(report: dict[str, Any]) -> Audit:
    """What pip-audit's JSON says."""
    packages = report["dependencies"]
    findings = [
        f"{each['name']} {each['version']}: {vulnerability['id']}, fixed in "
        + (", ".join(vulnerability["fix_versions"]) or "no version yet")
        for each in packages
        for vulnerability in each.get("vulns", [])
    ]
    unchecked = [each["name"] for each in packages if "skip_reason" in each]
    return Audit(len(packages) - len(unchecked), unchecked, findings)


def audit(name: str) -> Audit | None:
    """What is known about one list; None if PyPI does not answer."""
    command = ["-m", "pip_audit", "--disable-pip", "--require-hashes", "--requirement", name]
    try:
        done = subprocess.run(
            [sys.executable, *command, "--format", "json", "--progress-spinner", "off"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return read(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, json.JSONDecodeError):
        return None


def main() -> int:
    found = 0
    for name in LISTS:
        result = audit(name)
        if result is None or not result.checked:
            print(f"{name}: not audited, because PyPI's list of vulnerabilities cannot be read")
            continue
        print(f"{name}: {result.checked} packages audited, {len(result.findings)} findings")
        for finding in result.findings:
            print(f"  {finding}")
        if result.unchecked:
            print(f"  not audited: {', '.join(result.unchecked)}")
        found += len(result.findings)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""What `manage.py doctor` and the page that answers it agree on."""

from __future__ import annotations

PATH = "healthz/proxy"
PROBE_HEADER = "X-Studio-Probe"
SALT, SUBJECT = "doctor", "proxy"
MAX_AGE = 60
"""Seconds for which a signature is accepted."""

HOLD = 2.0
"""Seconds between the two events of the probe; a proxy that buffers delivers them together."""

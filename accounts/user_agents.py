"""Names of browsers and systems, from what browsers send as User-Agent."""

from __future__ import annotations

from django.utils.translation import gettext

BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "MicroMessenger": "WeChat",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
"""By a part of the text. The first one counts: most browsers also claim to be Chrome or Safari."""

SYSTEMS = {
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}
MAX_SHOWN = 60


def browser_of(user_agent: str) -> str:
    """Such as "Firefox · Windows"; the beginning of the text if the browser is not known."""
    names = [first_named(known, user_agent) for known in (BROWSERS, SYSTEMS)]
    return (
        " · ".join(filter(None, names))
        if names[0]
        else user_agent[:MAX_SHOWN] or gettext("Unknown browser")
    )


def first_named(known: dict[str, str], text: str) -> str:
    return next((name for part, name in known.items() if part in text), "")

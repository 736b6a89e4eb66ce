"""Reads environment variables for the settings, with types and error messages.

Blank values count as unset. Values are stripped and otherwise taken literally (`$` means nothing).
Mistakes are collected, so that one start reports all of them; `refuse_mistakes` raises them.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping
from typing import TypeVar

from django.core.exceptions import ImproperlyConfigured

from generation.http_addresses import without_password
from generation.invalid_setting import InvalidSetting
from liujuan_site.private_files import read_small

TRUE = {"1", "true", "yes", "on", "t", "y"}
FALSE = {"0", "false", "no", "off", "f", "n"}
QUOTES = "\"'`“”‘’«»"
INVISIBLE = "\ufeff\u200b"
"""Byte order mark and zero-width space, which editors and chats add at the ends of a value."""

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,4})?", re.ASCII | re.IGNORECASE)
MAX_SHOWN = 120

T = TypeVar("T")


class InvalidSettings(ImproperlyConfigured):
    """All variables that cannot be used, with a sentence and a hint for each."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(["The studio cannot start with these settings:", *mistakes]))


def as_typed(value: str) -> str:
    return value


class Environment:
    """Typed access to `variables`. Each method returns `default` for a blank or unusable value."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.mistakes: list[str] = []

    def text(self, name: str, *, default: str, read: Callable[[str], str] = as_typed) -> str:
        """The value converted by `read`; every exception of it is noted as a mistake."""
        return self._read(name, default, read, self._plain(name))

    def secret(self, name: str, *, default: str, read: Callable[[str], str] = as_typed) -> str:
        """Like `text`, but never shown in messages; may also be read from the file NAME_FILE."""
        return self._read(name, default, read, self._given_or_in_file(name), secret=True)

    def secrets(
        self, name: str, *, default: list[str], read: Callable[[str], str] = as_typed
    ) -> list[str]:
        """Like `secret`, for several values separated by commas or white space."""

        def read_each(value: str) -> list[str]:
            return [read(part) for part in parts_of(value)]

        given = self._given_or_in_file(name)
        return self._read(name, default, read_each, given, secret=True, lines=True)

    def names(
        self, name: str, *, default: list[str], read: Callable[[str], str] = as_typed
    ) -> list[str]:
        """Values separated by commas or white space, each converted by `read`."""

        def read_each(value: str) -> list[str]:
            return [read(part) for part in parts_of(value)]

        return self._read(name, default, read_each, self._plain(name), lines=True) or default

    def switch(self, name: str, *, default: bool) -> bool:
        def read(value: str) -> bool:
            if value.lower() not in TRUE | FALSE:
                raise InvalidSetting("is not a switch", "1")
            return value.lower() in TRUE

        return self._read(name, default, read, self._plain(name))

    def whole_number(self, name: str, *, default: int, least: int, most: int) -> int:
        def read(value: str) -> int:
            if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
                raise InvalidSetting("is not a whole number", f"{default}")
            return within(int(value), least, most, f"{default}")

        return self._read(name, default, read, self._plain(name))

    def number(self, name: str, *, default: float, least: float, most: float) -> float:
        """A finite number with a decimal point, from `least` to `most`."""

        def read(value: str) -> float:
            number = float(value) if NUMBER.fullmatch(value) else math.nan
            if not math.isfinite(number):
                raise InvalidSetting("is not a number", f"{default:g}")
            return within(number, least, most, f"{default:g}")

        return self._read(name, default, read, self._plain(name))

    def refuse(self, mistake: str) -> None:
        """Note a mistake: a whole sentence with a hint."""
        self.mistakes.append(mistake)

    def refuse_mistakes(self) -> None:
        """Raise InvalidSettings if any mistake was noted so far."""
        if self.mistakes:
            raise InvalidSettings(self.mistakes)

    def _given(self, name: str) -> str:
        return self.variables.get(name, "").strip().strip(INVISIBLE).strip()

    def _plain(self, name: str) -> str:
        """Like `_given`, for a variable without NAME_FILE."""
        if self._given(f"{name}_FILE"):
            self.refuse(f"{name}_FILE is not read, only secrets may lie in files. Set {name}.")
        return self._given(name)

    def _given_or_in_file(self, name: str) -> str:
        given, file = self._given(name), self._given(f"{name}_FILE")
        if not file:
            return given
        if given:
            self.refuse(f"{name} and {name}_FILE are both set. Take one of them away.")
            return ""
        return self._read(f"{name}_FILE", "", content_of, file, secret=not is_path(file))

    def _read(
        self,
        name: str,
        default: T,
        read: Callable[[str], T],
        value: str,
        *,
        secret: bool = False,
        lines: bool = False,
    ) -> T:
        if not value:
            return default
        try:
            refuse_characters(value, secret=secret, lines=lines)
            return read(value)
        except InvalidSetting as error:
            problem, suggestion = error.problem, error.suggestion
        except Exception as error:  # noqa: BLE001  depends on `read` and its library
            # without the error's message, which may quote a secret
            problem, suggestion = f"cannot be used ({type(error).__name__})", ""
        subject = name if secret else f"{name}={shown(value)}"
        hint = f" Type {name}={shown(suggestion)}" if suggestion else ""
        self.refuse(f"{subject} {problem}.{hint}")
        return default


def refuse_characters(value: str, *, secret: bool, lines: bool) -> None:
    """Raise InvalidSetting for quotes around the value and for control characters."""
    around = value[0] in QUOTES and value[-1] in QUOTES and len(value) > 1
    if around or (not secret and (value[0] in QUOTES or value[-1] in QUOTES)):
        bare = "" if secret else "".join(each for each in value if each not in QUOTES)
        raise InvalidSetting(
            "has quotes around it, which are taken as a part of it: remove them", bare
        )
    if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise InvalidSetting("is not UTF-8")
    text = re.sub(r"[\r\n\t]", "", value) if lines else value
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", text):
        raise InvalidSetting("holds a control character, such as a line break")


def is_path(value: str) -> bool:
    """Whether `value` is certainly a path, which may be shown, and not a secret."""
    return value.startswith(("/", "./", "../"))


def content_of(file: str) -> str:
    """The value in a small text file, stripped; raises InvalidSetting."""
    try:
        content = read_small(file)
    except OSError as error:
        raise InvalidSetting(f"cannot be read: {error.strerror}. Type the path of a file") from None
    value = content.strip().strip(INVISIBLE).strip()
    if not value:
        raise InvalidSetting("is an empty file. Write the value into it")
    return value


def parts_of(value: str) -> list[str]:
    return [part for part in re.split(r"[,\s]+", value) if part]


def within(number: T, least: T, most: T, suggestion: str) -> T:
    if not least <= number <= most:  # type: ignore[operator]
        raise InvalidSetting(f"is not between {least} and {most}", suggestion)
    return number


def shown(value: str, longest: int = MAX_SHOWN) -> str:
    """`value` for messages: on one line, without passwords and control characters."""
    whole = without_password(value)
    text = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in whole)
    return text if len(text) <= longest else f"{text[:longest]}…"


def load_settings() -> None:
    """Load Django's settings; if they are wrong, print the mistakes and exit with status 1."""
    from django.conf import settings

    try:
        settings.configured or settings.INSTALLED_APPS  # noqa: B018  the first access reads them
    except InvalidSettings as error:
        sys.exit(str(error))

"""Settings, and the folder of the installation."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, run_checks

from generation import images
from generation.management.doctor.answers import Answer, Section, no, yes

SECRET_FILES = ("db.sqlite3", "secret_key", "password")


def are_settings_accepted() -> Answer:
    """The checks of `manage.py check --deploy`; warnings are shown, and no reason for "no"."""
    question = "Do the settings pass manage.py check --deploy?"
    messages = [each for each in run_checks(include_deployment_checks=True) if not silenced(each)]
    errors = [each for each in messages if each.is_serious()]
    if errors:
        first = errors[0]
        named = ", ".join(str(each.id) for each in errors)
        hint = first.hint or "manage.py check --deploy"
        return no(question, f"{named}: {first.msg}", hint=hint, see=Section.FIRST_START)
    warnings = ", ".join(str(each.id) for each in messages)
    return yes(question, f"warnings: {warnings}" if warnings else "")


def silenced(message: CheckMessage) -> bool:
    return message.is_silenced()


def is_folder_writable() -> Answer:
    question = "Can this account write to DATA_DIR?"
    try:
        with tempfile.TemporaryFile(dir=settings.DATA_DIR) as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        return no(
            question,
            images.os_error_text(error, Path(settings.DATA_DIR)),
            hint="run this as the account of the studio; mount the volume for writing; make room",
            see=Section.FILES,
        )
    return yes(question, str(settings.DATA_DIR))


def is_folder_closed() -> Answer:
    """Of other accounts the folder must not be open, and no secret in it of the group."""
    question = "Are the files of DATA_DIR closed to other accounts?"
    folder = Path(settings.DATA_DIR)
    opened = [f"chmod o= {folder}"] if mode_of(folder) & 0o007 else []
    secrets = (folder / name for name in SECRET_FILES)
    opened += [f"chmod go= {path}" for path in secrets if mode_of(path) & 0o077]
    if opened:
        found = f"{len(opened)} of them can be read"
        return no(question, found, hint="; ".join(opened), see=Section.FILES)
    return yes(question)


def mode_of(path: Path) -> int:
    """The permissions of a file; 0 if it does not exist."""
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        return 0


QUESTIONS = (are_settings_accepted, is_folder_writable, is_folder_closed)

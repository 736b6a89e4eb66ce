"""Questions about settings, folders and disks, each with what makes the answer no."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from generation.management.doctor import disk_questions, settings_questions


@contextmanager
def file_system(folder: Path, options: str) -> Iterator[Path]:
    """A small file system of its own, or where none can be mounted, one that takes no files."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", options, "liujuan-test", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        yield Path("/proc/self")
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.django_db
def test_settings_that_do_not_work() -> None:
    with override_settings(IS_SQLITE=True, REDIS_URL="", EMBEDDED_WORKER=True):
        assert settings_questions.are_settings_accepted().state == "yes"
    with override_settings(IS_SQLITE=False, XINFERENCE_URL=""):
        answer = settings_questions.are_settings_accepted()

    assert answer.state == "no"
    assert answer.detail.startswith("generation.E001: ")
    assert "XINFERENCE_URL" in answer.hint


def test_a_read_only_folder(tmp_path: Path) -> None:
    assert settings_questions.is_folder_writable().state == "yes"
    with file_system(tmp_path / "data", "ro") as folder, override_settings(DATA_DIR=folder):
        answer = settings_questions.is_folder_writable()

    assert answer.state == "no"
    assert str(folder) in answer.detail


def test_a_folder_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("secret")
    (tmp_path / "secret_key").chmod(0o640)
    tmp_path.chmod(0o755)
    with override_settings(DATA_DIR=tmp_path):
        opened = settings_questions.is_folder_closed()
        for command in opened.hint.split("; "):
            subprocess.run(command.split(), check=True)
        closed = settings_questions.is_folder_closed()

    assert opened.hint == f"chmod o= {tmp_path}; chmod go= {tmp_path}/secret_key"
    assert (opened.state, closed.state) == ("no", "yes")


def test_static_files_that_were_not_collected(tmp_path: Path) -> None:
    assert disk_questions.are_static_files_there().state == "yes"
    with override_settings(STATIC_ROOT=tmp_path):
        answer = disk_questions.are_static_files_there()

    assert (answer.state, answer.detail) == ("no", "missing")


def test_a_full_disk(tmp_path: Path) -> None:
    with (
        file_system(tmp_path / "media", "size=64k") as folder,
        override_settings(MEDIA_ROOT=folder),
    ):
        answers = [question() for question in disk_questions.QUESTIONS[1:]]

    assert [each.state for each in answers] == ["no", "no", "skipped"]
    assert str(folder) in answers[0].detail
    assert "manage.py prune" in answers[1].hint
    assert "--yes" not in answers[1].hint


def test_the_least_room_is_that_of_the_alarm(media: Path) -> None:
    media.mkdir()
    states = []
    for least in (0, 1, 2**62):
        with override_settings(ALERT_FREE_SPACE=least):
            states.append(disk_questions.is_there_room().state)

    assert states == ["skipped", "yes", "no"]


def test_the_speed_of_a_disk_is_measured(media: Path) -> None:
    media.mkdir()
    fast_enough, too_slow = disk_questions.is_disk_fast(), disk_questions.is_disk_fast(10**15)

    assert (fast_enough.state, too_slow.state) == ("yes", "no")
    assert too_slow.detail.startswith("measured: ")


def test_pictures_can_be_written(media: Path) -> None:
    answer = disk_questions.can_pictures_be_written()

    assert (answer.state, answer.detail) == ("yes", str(settings.MEDIA_ROOT))
    assert list(media.iterdir()) == []


def test_a_probe_leaves_no_file(media: Path) -> None:
    media.mkdir()
    with override_settings(DATA_DIR=media):
        disk_questions.is_disk_fast()
        settings_questions.is_folder_writable()

    assert list(media.iterdir()) == []

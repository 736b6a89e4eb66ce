"""The process that decodes pictures: it can be killed, has limits, and is replaced."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from generation.exceptions import PictureError
from generation.models import GeneratedImage, ModelSlot
from generation.worker import decoder
from generation.worker.decoder import DecoderProcess
from tests.contract.demo_process import is_running
from tests.pictures import as_base64, jpeg
from tests.socket.sockets import Page
from tests.studio import wait_until
from tests.worker.demo_worker import SMALL, StartWorker, ending

ROOT = Path(__file__).resolve().parents[2]


def idle_process() -> DecoderProcess:
    """The process that gets the next picture."""
    decoder.pool.warm()
    process = decoder.pool.take()
    decoder.pool.give_back(process)
    return process


async def check(data: bytes) -> bytes:
    text = as_base64(data)
    return (await decoder.check(text, width=512, height=512, parameters="柳")).data


async def check_in_stopped_process() -> tuple[DecoderProcess, asyncio.Task[bytes]]:
    """A process that is stopped while it has a picture, and the check of that picture."""
    process = idle_process()
    os.kill(process.pid, signal.SIGSTOP)
    checking = asyncio.create_task(check(jpeg()))
    while idle_process().pid == process.pid:  # noqa: ASYNC110  until it has the picture
        await asyncio.sleep(0.01)
    return process, checking


async def test_a_process_is_used_again_and_keeps_nothing_of_a_refused_picture() -> None:
    pid = idle_process().pid
    with pytest.raises(PictureError):
        await check(jpeg()[:900])
    with pytest.raises(PictureError):
        await decoder.check("\ud800", width=512, height=512, parameters="")

    assert (await check(jpeg())).startswith(b"\xff\xd8")
    assert idle_process().pid == pid


async def test_a_picture_that_nothing_waits_for_any_more_is_not_decoded_to_its_end() -> None:
    process, waiting = await check_in_stopped_process()

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    await asyncio.to_thread(wait_until, lambda: not is_running(process.pid), what="it is gone")
    assert await check(jpeg())


async def test_a_lost_process_costs_no_picture() -> None:
    os.kill(idle_process().pid, signal.SIGKILL)

    assert await check(jpeg())


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGPROF])
async def test_a_picture_that_ends_the_process_is_refused(number: signal.Signals) -> None:
    process, waiting = await check_in_stopped_process()

    # both are pending until it goes on
    os.kill(process.pid, number)
    os.kill(process.pid, signal.SIGCONT)

    with pytest.raises(PictureError):
        await waiting
    assert await check(jpeg())


@pytest.mark.parametrize(
    ("limits", "number"), [("(0.2, 60)", signal.SIGPROF), ("(60, 0.2)", signal.SIGALRM)]
)
def test_time_limits_end_a_working_process(limits: str, number: signal.Signals) -> None:
    program = (
        f"from generation.image_subprocess import limit_time\nlimit_time{limits}\nwhile True: pass"
    )

    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False, timeout=50)

    assert ended.returncode == -number


def test_a_process_has_a_limit_of_memory() -> None:
    process = idle_process()
    limits = Path(f"/proc/{process.pid}/limits")

    def limit() -> str:
        (line,) = [each for each in limits.read_text().splitlines() if "address space" in each]
        return line.split()[3]

    wait_until(lambda: limit() == str(512 * 1024 * 1024), what="it has set its limits")


def test_no_process_outlives_its_worker() -> None:
    program = (
        "from generation.worker.decoder import DecoderProcess\n"
        "import time\n"
        "print(DecoderProcess().pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "liujuan_site.settings"}
    worker = subprocess.Popen(
        [sys.executable, "-c", f"import django; django.setup()\n{program}"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
    )
    with worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        assert is_running(pid)
        worker.kill()

    wait_until(lambda: not is_running(pid), what="the process has ended")


async def test_a_cancel_ends_a_running_decoder(page: Page, start_worker: StartWorker) -> None:
    await start_worker()
    await ending(page, await page.generate(**SMALL))
    while not await GeneratedImage.objects.exclude(thumbnail="").aexists():  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    stopped = idle_process()
    os.kill(stopped.pid, signal.SIGSTOP)

    task_id = await page.generate(**SMALL)
    while not any(
        m.get("step") == "finishing" and m.get("task_id") == task_id for m in page.messages
    ):
        await page.receive(30)
    await page.ask(action="cancel", task_id=task_id)
    frame = await ending(page, task_id)

    assert frame["type"] == "cancelled"
    await asyncio.to_thread(wait_until, lambda: not is_running(stopped.pid), what="it is gone")
    assert not await ModelSlot.objects.filter(task__isnull=False).aexists()
    assert (await ending(page, await page.generate(**SMALL)))["type"] == "result"

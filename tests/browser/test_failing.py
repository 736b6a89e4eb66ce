"""Failed tasks: the card shows step, reason and advice, in both languages."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.accounts import Account, create_accounts
from tests.browser.availability import answers
from tests.browser.conftest import Shoot, SignIn
from tests.browser.page_actions import expect_live, expect_status, open_studio, send, task_id_of
from tests.demo_faults import FAST
from tests.studio import ROOT, Studio, free_port, wait_until

pytestmark = pytest.mark.browser

FAULTS = [
    {"do": "not_image", "match": {"prompt_contains": "spoilt"}},
    {"do": "status", "status": 400, "detail": "no", "match": {"prompt_contains": "refused"}},
]


@pytest.fixture(scope="module")
def faulty_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a model server that spoils what it is asked to spoil."""
    faults = tmp_path_factory.mktemp("faults") / "faults.json"
    faults.write_text(json.dumps(FAULTS))
    port = free_port()
    options = ["--port", str(port), "--speed", str(FAST), "--faults", str(faults)]
    with subprocess.Popen([sys.executable, "-m", "demo_xinference", *options], cwd=ROOT) as process:
        url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{url}/v1/models"), what="the model server answers")
        yield url
        process.terminate()


@pytest.fixture(scope="module")
def failing_studio(faulty_model: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    data_dir = tmp_path_factory.mktemp("failing")
    studio = Studio(data_dir, XINFERENCE_URL=faulty_model).start()
    yield studio
    studio.stop()


@pytest.fixture(scope="module")
def crowd(failing_studio: Studio) -> list[Account]:
    return create_accounts(failing_studio, first=1, count=8)


@pytest.mark.parametrize(
    ("locale", "prompt", "headline", "lead", "advice"),
    [
        ("zh-CN", "spoilt", "失败于第 6 步", "正在执行后期处理", "检查模型服务"),
        ("en-GB", "spoilt", "Failed at step 6", "Finishing the file", "Check the model server"),
        ("zh-CN", "refused", "失败于第 3 步", "正在初始化图像生成参数", "再试"),
        ("en-GB", "refused", "Failed at step 3", "Setting up parameters", "Change the size"),
    ],
)
def test_a_failed_card_names_the_step_the_reason_and_what_to_do(
    failing_studio: Studio,
    crowd: list[Account],
    sign_in: SignIn,
    shoot: Shoot,
    locale: str,
    prompt: str,
    headline: str,
    lead: str,
    advice: str,
) -> None:
    page = open_studio(sign_in(crowd.pop(), failing_studio.url, locale=locale))
    card = send(page, prompt, size="256x256")

    expect_status(card, "failed")
    expect(card.locator("[data-part=headline]")).to_have_text(headline)
    expect(card.locator("[data-part=note-lead]")).to_have_text(lead)
    expect(card.locator("[data-part=note-text]")).to_contain_text(advice)
    expect(card.locator("[data-action=retry]")).to_be_visible()
    expect(page.locator("#alerts .toast")).to_contain_text(advice)
    said = card.locator("[data-part=note-text]").inner_text()
    shoot(page, f"failed-{prompt}-{locale}")

    page.goto(f"/tasks/{task_id_of(card)}/")
    expect_live(page)
    own = page.locator("article.card")
    expect(own.locator("[data-part=headline]")).to_have_text(headline)
    expect(own.locator("[data-part=note-text]")).to_have_text(said)
    shoot(page, f"task-failed-{prompt}-{locale}")


def test_a_failed_task_is_retried_and_the_new_one_is_its_own_card(
    failing_studio: Studio, crowd: list[Account], sign_in: SignIn
) -> None:
    page = open_studio(sign_in(crowd.pop(), failing_studio.url))
    card = send(page, "spoilt twice", size="256x256")
    expect_status(card, "failed")

    card.locator("[data-action=retry]").click()

    expect(page.locator("article.card[data-status=failed]")).to_have_count(2)

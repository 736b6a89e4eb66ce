"""Pictures of the demo: from noise, by the prompt, at any size."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from demo_xinference.painting.denoise import Order, Painting
from demo_xinference.painting.reading import SUBJECTS, WORDS, read

QUICK = 60.0


def order(**changes: object) -> Order:
    usual = {
        "prompt": "千里江山",
        "negative_prompt": "",
        "width": 256,
        "height": 256,
        "steps": 4,
        "guidance": 0.0,
        "seed": 1,
    }
    return Order(**(usual | changes))  # type: ignore[arg-type]


def painted(asked: Order) -> bytes:
    painting = Painting(asked, QUICK)
    while painting.done < asked.steps:
        painting.advance()
    return painting.finish()


@pytest.fixture(scope="module")
def usual() -> bytes:
    return painted(order())


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("size", [(256, 512), (640, 256)])
def test_every_subject_can_be_painted_at_any_shape(subject, size):
    prompt = WORDS[subject].split()[0] + "，雨，雪，星，桥，塔，柳，雾，红"

    file = painted(order(prompt=prompt, width=size[0], height=size[1], steps=1))

    with Image.open(io.BytesIO(file)) as picture:
        picture.load()
        assert (picture.format, picture.size) == ("JPEG", size)


def test_the_noise_clears_step_by_step():
    painting = Painting(order(steps=6), QUICK)
    stages = [painting.picture]
    while painting.done < 6:
        painting.advance()
        stages.append(painting.picture)

    distances = [float(np.abs(stage - stages[-1]).mean()) for stage in stages]

    assert distances == sorted(distances, reverse=True)
    assert distances[0] > 0.2
    assert distances[-2] > 0.01


def test_every_step_leaves_its_mark_on_the_finished_picture():
    whole = Painting(order(steps=4), QUICK)
    disturbed = Painting(order(steps=4), QUICK)
    for painting in (whole, disturbed):
        painting.advance()
    disturbed.picture = disturbed.picture[::-1].copy()
    for painting in (whole, disturbed):
        while painting.done < 4:
            painting.advance()

    assert whole.finish() != disturbed.finish()


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "千里江山 "},
        {"negative_prompt": "月"},
        {"seed": 2},
        {"steps": 5},
        {"guidance": 1.0},
        {"width": 272},
    ],
)
def test_each_setting_changes_the_picture(usual, changes):
    assert painted(order(**changes)) != usual


def test_nothing_else_changes_the_picture(usual):
    assert painted(order()) == usual


@pytest.mark.parametrize(
    ("prompt", "subject"),
    [
        ("LiuJuan", "willow"),
        ("LiuJuan，荷塘", "lotus"),
        ("a cat on the roof", "cat"),
        ("catalogue of the moon over mountains", "landscape"),
        ("江南烟雨，撑朱红油纸伞的白衣女子，远山如黛", "umbrella"),
        ("雪山", "landscape"),
        ("海上生明月", "sea"),
    ],
)
def test_the_prompt_chooses_the_subject(prompt, subject):
    assert read(prompt, "", 1, 0, (512, 512)).subject == subject


def test_a_negative_prompt_counts_only_with_guidance():
    plain = read("梅花", "梅花 plum", 1, 0, (512, 512))
    guided = read("梅花", "梅花 plum", 1, 4.5, (512, 512))

    assert plain.subject == "plum"
    assert guided.subject != "plum"


@pytest.mark.parametrize(
    ("prompt", "mood"),
    [("夜", "night"), ("雪", "snow"), ("snow at night", "night"), ("水墨", "ink")],
)
def test_the_prompt_chooses_the_mood(prompt, mood):
    assert read(f"山 {prompt}", "", 1, 0, (512, 512)).mood == mood

"""The index of words finds exactly the tasks whose text contains them."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection, models

from generation import search_index
from generation.models import GenerationTask
from tests.factories import submit
from tests.rows import copies

PROMPTS = [
    "a heron, 苏州园林",
    "杨柳岸晓风残月",
    "4k ultra-detailed",
    "it's 'quoted' \"twice\" \\ & | ! :* 100%_",
    "Ａ ＦＵＬＬ width ﬁeld",
    "x",
    "猫",
    "\U00020021\U00020023 rare characters",
    "tab\tand\nline",
]
WORDS = [
    *("heron", "园林", "林", "柳岸", "月", "月\nliu", "4k", "k", "ultra-d", "100%_", "%_", "-"),
    *(
        "'",
        '"twice"',
        "\\",
        ":*",
        "& |",
        "full",
        "field",
        "x",
        "xx",
        "猫",
        "猫猫",
        "\t",
        "\n",
        "l ",
    ),
    *("\U00020021\U00020023", "ab", "zz", "q", "liujuan", "e" * 50),
]

pytestmark = pytest.mark.django_db


@pytest.fixture
def tasks(alice: User, now: datetime) -> list[GenerationTask]:
    return [submit(alice, now, prompt=prompt) for prompt in PROMPTS]


def found(*words: str, most: int = 100) -> set[str]:
    keys = search_index.find(words, most)
    assert keys is not None
    return {task.prompt for task in GenerationTask.objects.filter(pk__in=keys)}


@pytest.mark.parametrize("word", WORDS)
def test_what_is_found_contains_the_word(tasks: list[GenerationTask], word: str) -> None:
    assert found(word) == {task.prompt for task in tasks if word in task.search_text}


def test_a_long_text_is_found_by_all_its_parts(alice: User, now: datetime) -> None:
    same = "a willow by the lake, " * 40
    tasks = [submit(alice, now, prompt=f"{same}{number} {same}") for number in range(3)]

    for number, task in enumerate(tasks):
        assert found(f"{same}{number} {same}".strip()) == {task.prompt}
    assert found(f"{same}7 {same}".strip()) == set()


def test_all_words_must_be_contained(tasks: list[GenerationTask]) -> None:
    assert found("heron", "园林") == {PROMPTS[0]}
    assert found("heron", "月") == set()
    assert found("heron", "zz") == set()


def test_more_than_asked_for_are_not_returned(tasks: list[GenerationTask]) -> None:
    assert search_index.find(["liujuan"], len(tasks) - 1) is None
    assert len(search_index.find(["liujuan"], len(tasks)) or ()) == len(tasks)


def test_changes_of_texts_are_followed(tasks: list[GenerationTask]) -> None:
    first, second, *_others = tasks
    GenerationTask.objects.filter(pk=first.pk).update(search_text="a grey crane")
    GenerationTask.objects.filter(pk=second.pk).delete()
    # a process of an older version fills the text afterwards
    copies(first, [{"search_text": ""}])

    assert found("heron") == found("残月") == set()
    assert found("crane") == {first.prompt}


@pytest.mark.django_db(transaction=True)
def test_a_copied_table_is_indexed_again(tasks: list[GenerationTask], alice: User) -> None:
    """SQLite cannot change a column: Django copies the table and drops it with its triggers."""
    old = GenerationTask._meta.get_field("error_detail")
    new = models.CharField(max_length=10_000)
    new.set_attributes_from_name(old.name)
    with connection.schema_editor() as editor:
        editor.alter_field(GenerationTask, old, new)
    copies(tasks[0], [{"prompt": "unindexed", "search_text": "unindexed"}])
    assert connection.vendor == "postgresql" or search_index.find(["unindexed"], 100) is None

    with connection.schema_editor() as editor:
        editor.alter_field(GenerationTask, new, old)
    search_index.after_migrate(using="default")

    copies(tasks[0], [{"prompt": "indexed", "search_text": "indexed"}])
    assert found("indexed") == {"indexed", "unindexed"}
    assert found("园林") == {PROMPTS[0]}
    tasks[0].delete()
    assert found("园林") == set()

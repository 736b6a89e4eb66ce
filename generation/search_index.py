"""The index that finds words in the search texts of all tasks, whatever their age.

It holds every three consecutive characters of a text ("trigrams"); words of one or two characters,
frequent in Chinese, are found as beginnings of trigrams. It only narrows: each result also contains
the word.

PostgreSQL: an index on `trigrams_of(search_text)`. Unlike pg_trgm it needs no extension, indexes
punctuation, finds words of two characters, and does not depend on the locale of the database.
SQLite: a full-text table, filled by triggers; `install` creates them again, because Django drops
them whenever it copies the table of tasks to change it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection as default_connection
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.utils import OperationalError

from generation.sql import TASKS

TRIGRAM = 3
MAX_TRIGRAMS = 60
"""Of one word; more would not narrow further."""
MAX_TERMS = 1_000
"""Trigrams that may begin with a short word; one with more is frequent."""

CREATE_TRIGRAMS_OF = """
CREATE OR REPLACE FUNCTION trigrams_of(searched text) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
DECLARE
  letters text[] := string_to_array(searched, NULL);
  found text[] := '{}';
BEGIN
  FOR i IN 1..cardinality(letters) LOOP
    found[i] := letters[i] || coalesce(letters[i + 1], '') || coalesce(letters[i + 2], '');
  END LOOP;
  RETURN array_to_tsvector(found);
END $$
"""
"""Shorter ones at the end, so that every character begins a trigram."""
CREATE_INDEX = (
    "CREATE INDEX CONCURRENTLY IF NOT EXISTS tasks_by_trigram "
    f"ON {TASKS} USING gin (trigrams_of(search_text))"
)
DROP_INDEX = "DROP INDEX CONCURRENTLY IF EXISTS tasks_by_trigram"
DROP_TRIGRAMS_OF = "DROP FUNCTION IF EXISTS trigrams_of(text)"
PLAN_BY_INDEX = (
    "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true), "
    "set_config('max_parallel_workers_per_gather', '0', true)"
)
"""Until the transaction ends. The planner cannot estimate trigrams, and would sometimes rather
read all tasks."""
FIND_IN_POSTGRESQL = (
    f"SELECT id FROM {TASKS} WHERE trigrams_of(search_text) @@ %s::tsquery "  # noqa: S608
    "AND {contains} LIMIT %s"
)

END = "'  '"
"""Appended to the texts in SQLite, so that their last characters begin trigrams too."""
ROWS_IN_SQLITE = '"generation_searchrow"'
TEXTS_IN_SQLITE = '"generation_searchtext"'
TERMS_IN_SQLITE = '"generation_searchterm"'
CREATE_IN_SQLITE = (
    # VACUUM may renumber the rows of a table without a number of its own
    f"CREATE TABLE IF NOT EXISTS {ROWS_IN_SQLITE} "
    "(id integer PRIMARY KEY, task_id char(32) NOT NULL UNIQUE)",
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {TEXTS_IN_SQLITE} USING fts5(searched, content='', "
    "detail=none, columnsize=0, tokenize='trigram case_sensitive 1')",
    f"CREATE VIRTUAL TABLE IF NOT EXISTS {TERMS_IN_SQLITE} USING fts5vocab({TEXTS_IN_SQLITE}, row)",
)
DROP_IN_SQLITE = tuple(
    f"DROP TABLE IF EXISTS {name}" for name in (TERMS_IN_SQLITE, TEXTS_IN_SQLITE, ROWS_IN_SQLITE)
)
ADD_IN_SQLITE = (
    f"INSERT INTO {ROWS_IN_SQLITE} (task_id) VALUES (new.id); "  # noqa: S608
    f"INSERT INTO {TEXTS_IN_SQLITE} (rowid, searched) "
    f"SELECT id, new.search_text || {END} FROM {ROWS_IN_SQLITE} WHERE task_id = new.id;"
)
REMOVE_IN_SQLITE = (
    f"INSERT INTO {TEXTS_IN_SQLITE} ({TEXTS_IN_SQLITE}, rowid, searched) "  # noqa: S608
    f"SELECT 'delete', id, old.search_text || {END} FROM {ROWS_IN_SQLITE} "
    "WHERE task_id = old.id; "
    f"DELETE FROM {ROWS_IN_SQLITE} WHERE task_id = old.id;"
)
TRIGGERS_IN_SQLITE = {
    "tasks_searched_after_insert": ("INSERT", ADD_IN_SQLITE),
    "tasks_searched_after_delete": ("DELETE", REMOVE_IN_SQLITE),
    "tasks_searched_after_update": ("UPDATE OF search_text", REMOVE_IN_SQLITE + ADD_IN_SQLITE),
}
ADD_MISSING_IN_SQLITE = (
    f"INSERT INTO {ROWS_IN_SQLITE} (task_id) SELECT id FROM {TASKS} "  # noqa: S608
    f"WHERE id NOT IN (SELECT task_id FROM {ROWS_IN_SQLITE}) ORDER BY created",
    f"INSERT INTO {TEXTS_IN_SQLITE} (rowid, searched) "  # noqa: S608
    f"SELECT known.id, search_text || {END} FROM {ROWS_IN_SQLITE} known "
    f"JOIN {TASKS} task ON task.id = known.task_id WHERE known.id > %s",
)
LAST_ROW_IN_SQLITE = f"SELECT coalesce(max(id), 0) FROM {ROWS_IN_SQLITE}"  # noqa: S608
FIND_IN_SQLITE = (
    f"SELECT task.id FROM {TEXTS_IN_SQLITE} "  # noqa: S608
    f"JOIN {ROWS_IN_SQLITE} known ON known.id = {TEXTS_IN_SQLITE}.rowid "
    f"JOIN {TASKS} task ON task.id = known.task_id "
    f"WHERE {TEXTS_IN_SQLITE} MATCH %s AND {{contains}} "
    f"ORDER BY {TEXTS_IN_SQLITE}.rowid DESC LIMIT %s"
)
TERMS_THAT_BEGIN = f"SELECT term FROM {TERMS_IN_SQLITE} WHERE term >= %s AND term < %s LIMIT %s"  # noqa: S608
LAST_CHARACTER = "\U0010ffff"


def find(words: Sequence[str], most: int) -> list[uuid.UUID] | None:
    """Ids of the tasks whose search text contains all words, in no order.

    None if there are more than `most`, or no index: its full-text module is missing in some builds
    of SQLite.
    """
    with transaction.atomic(), default_connection.cursor() as cursor:
        if default_connection.vendor == "postgresql":
            found = find_in_postgresql(cursor, words, most)
        else:
            found = find_in_sqlite(cursor, words, most)
    return None if found is None or len(found) > most else found


def find_in_postgresql(
    cursor: CursorWrapper, words: Sequence[str], most: int
) -> list[uuid.UUID] | None:
    cursor.execute(PLAN_BY_INDEX)
    contains = " AND ".join(["strpos(search_text, %s) > 0"] * len(words))
    wanted = " & ".join(lexeme for word in words for lexeme in lexemes_of(word))
    cursor.execute(FIND_IN_POSTGRESQL.format(contains=contains), [wanted, *words, most + 1])
    return [key for (key,) in cursor.fetchall()]


def find_in_sqlite(
    cursor: CursorWrapper, words: Sequence[str], most: int
) -> list[uuid.UUID] | None:
    if not is_installed(cursor):
        return None
    parts = []
    for word in words:
        if (part := terms_of(cursor, word)) is None:
            return None
        parts.append(part)
    if "" in parts:
        return []
    contains = " AND ".join(["instr(task.search_text, %s) > 0"] * len(words))
    values: list[str | int] = [" AND ".join(parts), *words, most + 1]
    cursor.execute(FIND_IN_SQLITE.format(contains=contains), values)
    return [uuid.UUID(key) for (key,) in cursor.fetchall()]


def trigrams(word: str) -> list[str]:
    """Trigrams from all parts of a word: many texts may have its beginning, and few its end."""
    last = len(word) - TRIGRAM
    if last < 0:
        return []
    apart = max(1, last // MAX_TRIGRAMS)
    return [word[at : at + TRIGRAM] for at in (*range(0, last, apart), last)]


def lexemes_of(word: str) -> list[str]:
    """Quoted for a query; a short word stands for all trigrams that begin with it."""
    texts = trigrams(word) or [word]
    quoted = ["'" + text.replace("\\", "\\\\").replace("'", "''") + "'" for text in texts]
    return quoted if len(word) >= TRIGRAM else [f"{quoted[0]}:*"]


def terms_of(cursor: CursorWrapper, word: str) -> str | None:
    """The query for one word; empty if no text has it, None if too many trigrams begin with it."""
    if len(word) >= TRIGRAM:
        return " AND ".join(map(quoted_term, trigrams(word)))
    cursor.execute(TERMS_THAT_BEGIN, [word, word + LAST_CHARACTER, MAX_TERMS + 1])
    terms = [term for (term,) in cursor.fetchall()]
    if len(terms) > MAX_TERMS:
        return None
    return f"({' OR '.join(map(quoted_term, terms))})" if terms else ""


def quoted_term(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def is_installed(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT 1 FROM sqlite_master WHERE name = %s", [next(iter(TRIGGERS_IN_SQLITE))])
    return cursor.fetchone() is not None


def install(connection: BaseDatabaseWrapper) -> None:
    """Create on SQLite what is missing, and add the tasks that are not in the index."""
    if connection.vendor != "sqlite":
        return
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if is_installed(cursor):
            return
        try:
            with transaction.atomic(using=connection.alias):
                for statement in CREATE_IN_SQLITE:
                    cursor.execute(statement)
        except OperationalError:
            # a build without the module, or older than its trigrams: searches read a period
            return
        for name, (event, action) in TRIGGERS_IN_SQLITE.items():
            cursor.execute(f"CREATE TRIGGER {name} AFTER {event} ON {TASKS} BEGIN {action} END")
        cursor.execute(LAST_ROW_IN_SQLITE)
        (last,) = cursor.fetchone()
        add_rows, add_texts = ADD_MISSING_IN_SQLITE
        cursor.execute(add_rows)
        cursor.execute(add_texts, [last])


def remove(connection: BaseDatabaseWrapper) -> None:
    """Remove from SQLite what `install` creates."""
    with connection.cursor() as cursor:
        for name in TRIGGERS_IN_SQLITE:
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        for statement in DROP_IN_SQLITE:
            cursor.execute(statement)


def after_migrate(*, using: str, **_options: Any) -> None:
    """Receiver of `post_migrate`."""
    from django.db import connections

    install(connections[using])

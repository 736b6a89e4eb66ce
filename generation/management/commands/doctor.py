"""`manage.py doctor`: ask each part of the installation, and say what to try."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseProblem

from generation.management.doctor import (
    database_questions,
    delivery_questions,
    disk_questions,
    model_questions,
    proxy_questions,
    redis_questions,
    settings_questions,
    worker_questions,
)
from generation.management.doctor.answers import Answer, Part, Section, asking, no, skipped
from generation.outages import cause_of

DATABASE = "database"


class Command(BaseCommand):
    help = (
        "Ask settings, database, Redis, disk, model server, workers, proxy, mail and webhooks, "
        "and say what to try. Exits with 1 if an answer is no."
    )
    # the first question runs them
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")
        parser.add_argument(
            "--draw", action="store_true", help="draw a picture and abort another: uses the GPU"
        )
        parser.add_argument("--mail", metavar="ADDRESS", help="send a mail to this address")

    def handle(self, *args: Any, **options: Any) -> None:
        answers = []
        for name, answer in answers_of(parts(draw=options["draw"], mail=options["mail"])):
            answers.append({"part": name, **asdict(answer)})
            if not options["json"]:
                self.write(name, answer)
        counts = Counter(str(each["state"]) for each in answers)
        if options["json"]:
            document = {"ok": not counts["no"], "answers": answers}
            self.stdout.write(json.dumps(document, indent=2))
        if counts["no"]:
            raise CommandError(f"{counts['no']} of {len(answers)} answers are no.")

    def write(self, part: str, answer: Answer) -> None:
        found = f" ({answer.detail})" if answer.detail else ""
        self.stdout.write(f"{answer.state:<8}{part}: {answer.question}{found}")
        if answer.hint:
            self.stdout.write(f"        try: {answer.hint}")
        if answer.see:
            self.stdout.write(f"        see: {answer.see}")


def parts(*, draw: bool, mail: str | None) -> list[Part]:
    return [
        Part(name="settings", ask=asking(*settings_questions.QUESTIONS)),
        Part(name=DATABASE, ask=database_questions.ask_database),
        Part(name="redis", ask=asking(*redis_questions.QUESTIONS)),
        Part(name="disk", ask=asking(*disk_questions.QUESTIONS)),
        Part(name="model server", ask=partial(model_questions.ask_model_servers, draw=draw)),
        Part(name="workers", ask=asking(*worker_questions.QUESTIONS)),
        Part(name="proxy", ask=proxy_questions.ask_site),
        Part(name="mail", ask=partial(delivery_questions.ask_mail_server, mail)),
        Part(name="webhooks", ask=asking(*delivery_questions.WEBHOOK_QUESTIONS)),
    ]


def answers_of(parts: list[Part]) -> Iterator[tuple[str, Answer]]:
    """Each answer with the name of its part; a part ends with the first error of the database."""
    explained = False
    for part in parts:
        try:
            for answer in part.ask():
                explained |= part.name == DATABASE and answer.state == "no"
                yield part.name, answer
        except DatabaseProblem as error:
            yield part.name, database_problem(error, explained=explained)


def database_problem(error: DatabaseProblem, *, explained: bool) -> Answer:
    """`explained`: an earlier answer said what is wrong with the database."""
    question = "Can the database be used for this?"
    if explained:
        return skipped(question, cause_of(error))
    return no(question, cause_of(error), hint="manage.py migrate", see=Section.UPGRADE)

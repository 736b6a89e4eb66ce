"""The places in a long line by arithmetic, from everybody's share of it.

`queue_order` defines the order; this gives the same one. An owner with r running and n queued tasks
has the turns r + 1 … r + n, each once. So the tasks before a turn are a sum over owners, and within
a turn owners stand in an order that is the same for all turns.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Min, OuterRef, Q, Subquery

from generation.expected_durations import task_seconds
from generation.models import GenerationTask
from generation.selectors.queue.order import NEVER, first_tasks, queued_owners, ready_tasks

SAMPLE = 100
"""People whose first tasks tell how long a task takes."""

Rank = tuple[int, datetime, datetime, int]
"""(-running, last served, came, owner): where he stands among all who have the same turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Who has how much of the line of `model`; tasks that pause stand behind all of it."""

    model: str
    now: datetime
    running: Counter[int]
    """Tasks in slots by owner, of any model."""
    served: dict[int, datetime]
    own: Counter[int]
    """Tasks by owner, without those that pause."""
    came: dict[int, datetime]
    """When the first of these was submitted."""
    before: list[int]
    """[t]: tasks with a turn below t."""
    ranks: list[Rank]
    in_turn: dict[int, list[Rank]] = field(default_factory=dict)
    """Of the turns that were asked about: who has one, in order."""

    @property
    def length(self) -> int:
        """Without the tasks that pause."""
        return self.before[-1]

    def others_before(
        self, owner_id: int, own_place: int, *, served: datetime, came: datetime
    ) -> int:
        """How many tasks stand before such a one of his, whether it exists or not."""
        running = self.running[owner_id]
        turn = running + own_place
        rank = (-running, served, self.came.get(owner_id, came), owner_id)
        earlier = self.before[min(turn, len(self.before) - 1)]
        return earlier + bisect_left(self.ranks_in(turn), rank)

    def ranks_in(self, turn: int) -> list[Rank]:
        if turn not in self.in_turn:
            self.in_turn[turn] = [
                rank for rank in self.ranks if -rank[0] < turn <= -rank[0] + self.own[rank[3]]
            ]
        return self.in_turn[turn]

    def positions(self, task_ids: Collection[str]) -> Iterator[tuple[str, int]]:
        """(task, how many stand before it) of those that are in this line."""
        own = ready_tasks(self.model, self.now).filter(
            Q(created__lt=OuterRef("created")) | Q(pk__lte=OuterRef("pk")),
            owner=OuterRef("owner"),
            created__lte=OuterRef("created"),
        )
        own_place = Subquery(own.order_by().values("owner").values(count=Count("pk")))
        mine = GenerationTask.objects.claimable().filter(model=self.model, pk__in=task_ids)
        paused = set()
        rows = mine.values_list("pk", "owner", "created", "retry_at", own_place)
        for key, owner, created, retry_at, place in rows:
            if retry_at is not None and retry_at > self.now:
                paused.add(str(key))
            else:
                served = self.served.get(owner, NEVER)
                yield str(key), self.others_before(owner, place, served=served, came=created)
        if paused:
            behind = enumerate(self.pausing(), self.length)
            yield from ((key, before) for before, key in behind if key in paused)

    def pausing(self) -> list[str]:
        """Tasks that pause, in order; only what was begun before does, so that they are few."""
        claimable = GenerationTask.objects.claimable()
        tasks = claimable.filter(model=self.model, retry_at__gt=self.now)
        own_place, came, rows = Counter(self.own), dict(self.came), []
        for key, owner, created in tasks.order_by("owner", "created", "pk").values_list(
            "pk", "owner", "created"
        ):
            own_place[owner] += 1
            turn = self.running[owner] + own_place[owner]
            served, first = self.served.get(owner, NEVER), came.setdefault(owner, created)
            rows.append((turn, own_place[owner], served, first, owner, str(key)))
        return [row[-1] for row in sorted(rows)]

    def mean_seconds(self) -> float:
        """Of a task of this line: everybody's are counted as if they were like his first one."""
        owners = sorted(self.own)
        some = owners[:: -(-len(owners) // SAMPLE)]
        keys = [each.task_id for each in first_tasks(some, self.model, self.now)]
        rows = GenerationTask.objects.filter(pk__in=keys).values_list(
            "owner", "expected_durations", "image_count"
        )
        told = [(self.own[owner], task_seconds(expected, n)) for owner, expected, n in rows]
        weight = sum(count for count, _seconds in told)
        return sum(count * seconds for count, seconds in told) / weight if weight else 0.0


def read_shares(model: str, now: datetime, *, running: Counter[int]) -> Shares:
    """In two statements, neither of which looks at a row of the table."""
    served = {owner: at for owner, (at, _came) in queued_owners(model).items()}
    own: Counter[int] = Counter()
    came: dict[int, datetime] = {}
    rows = ready_tasks(model, now).values_list("owner").annotate(Count("pk"), Min("created"))
    for owner, count, first in rows.order_by():
        own[owner], came[owner] = count, first
    return Shares(
        model=model,
        now=now,
        running=running,
        served=served,
        own=own,
        came=came,
        before=tasks_before((running[owner], count) for owner, count in own.items()),
        ranks=sorted((-running[each], served.get(each, NEVER), came[each], each) for each in own),
    )


def tasks_before(shares: Iterable[tuple[int, int]]) -> list[int]:
    """[t]: how many tasks have a turn below t, if people have (r, n): the turns r + 1 … r + n."""
    change: Counter[int] = Counter()
    for running, count in shares:
        change[running + 1] += 1
        change[running + count + 1] -= 1
    before, people = [0], 0
    for turn in range(1, max(change, default=0) + 1):
        before.append(before[-1] + people)
        people += change[turn]
    return before

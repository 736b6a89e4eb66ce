"""Which worker draws a task."""

from __future__ import annotations

from tests.production import Production
from tests.programs import RunWorker


def drawing_one_of(site: Production, tasks: set[str]) -> RunWorker | None:
    """The worker that waits for a call of one of the tasks, if any."""
    for worker in site.workers:
        assert worker.process is not None
        held = site.query(
            "select s.task_id::text from generation_modelslot s"
            " join generation_worker w on s.worker_id = w.id"
            " where w.pid = %s and s.request_id is not null",
            worker.process.pid,
        )
        if tasks & {task_id for (task_id,) in held}:
            return worker
    return None

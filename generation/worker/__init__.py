"""The worker: a Channels consumer that claims tasks and runs their Xinference calls."""

from __future__ import annotations

from generation.worker.consumer import GenerationWorker
from generation.worker.host import WorkerHost

__all__ = ["GenerationWorker", "WorkerHost"]

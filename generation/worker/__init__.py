"""The worker: a Channels consumer that claims tasks and runs their Xinference calls."""

from __future__ import annotations

from generation.worker.host import WorkerHost
from generation.worker.named_channel import GenerationWorker

__all__ = ["GenerationWorker", "WorkerHost"]

"""The worker: a Channels consumer that claims tasks and runs their Xinference calls."""

from __future__ import annotations

from generation.worker.metrics_port import MetricsPort
from generation.worker.named_channel import GenerationWorker
from generation.worker.runner import WorkerRunner

__all__ = ["GenerationWorker", "MetricsPort", "WorkerRunner"]

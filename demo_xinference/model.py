"""The served model: its replicas, its entries in the lists, and the known request ids."""

from __future__ import annotations

import asyncio
import itertools
import time
from time import monotonic
from typing import Any

from demo_xinference.call_log import CallLog
from demo_xinference.errors import Refusal
from demo_xinference.faults import Fault
from demo_xinference.progress import Progress
from demo_xinference.replica import Job, Replica
from demo_xinference.requests import TXT2IMG, ImageRequest

DIFFUSERS = "diffusers"
WORKER = "127.0.0.1:43327"


class Model:
    def __init__(
        self,
        uid: str,
        *,
        engine: str,
        replicas: int,
        speed: float,
        request_limits: int | None,
        call_log: CallLog,
    ) -> None:
        self.call_log = call_log
        self.uid = uid
        self.engine = engine
        self.progress = Progress()
        self.replicas = [
            Replica(f"{uid}-rep{number}", speed=speed, limit=request_limits)
            for number in range(replicas)
        ]
        self._round_robin = itertools.cycle(self.replicas)
        self._created = int(time.time())
        self._blocked: dict[str, float] = {}
        self.loading_until = 0.0

    @property
    def loading(self) -> bool:
        return self.loading_until > monotonic()

    @property
    def ready(self) -> bool:
        return not self.loading and all(each.ready for each in self.replicas)

    def load_for(self, seconds: float) -> None:
        self.loading_until = monotonic() + seconds

    def enqueue(self, request: ImageRequest, faults: list[Fault]) -> Job:
        """Queue a job on the next replica; raises Refusal."""
        if self.loading:
            raise Refusal(
                503,
                "Model is loading, please retry later: Model is loading, not ready for inference",
                headers={"Retry-After": "30"},
            )
        replica = next(self._round_robin)
        if request.route == TXT2IMG and self.engine != DIFFUSERS:
            raise replica.refusal(500, f"Model {self.uid} is not for txt2img.")
        self._claim_id(replica, request.request_id)
        job = Job(
            request=request,
            record=Progress().begin(None),
            faults=faults,
            steps_reported=self.engine == DIFFUSERS,
        )
        replica.enqueue(job)
        self.log_call(job)
        job.record = self.progress.begin(request.request_id)
        return job

    def log_call(self, job: Job) -> None:
        assert job.task is not None
        request_id = job.request.request_id
        self.call_log.write("came", request_id)

        def left(_task: asyncio.Task[bytes]) -> None:
            if job.paint is not None and not job.paint.done():
                job.paint.add_done_callback(left)
            else:
                self.call_log.write("left", request_id)

        job.task.add_done_callback(left)

    def _claim_id(self, replica: Replica, request_id: str | None) -> None:
        if request_id is None:
            return
        if self._blocked.get(request_id, 0.0) > monotonic():
            raise replica.refusal(500, f"The request has been aborted: {request_id}")
        if self._find(request_id):
            raise replica.refusal(500, f"Duplicate request id: {request_id}")

    def _find(self, request_id: str) -> tuple[Replica, Job] | None:
        for replica in self.replicas:
            for job in replica.jobs:
                if job.request.request_id == request_id:
                    return replica, job
        return None

    def abort(self, request_id: str, block: float) -> bool:
        """Abort a call: True if it was running or queued. Its id is refused for `block` seconds."""
        now = monotonic()
        self._blocked = {key: until for key, until in self._blocked.items() if until > now}
        if block > 0:
            self._blocked[request_id] = now + block
        found = self._find(request_id)
        if found is None or found[1].aborted:
            return False
        replica, job = found
        replica.abort(job)
        return True

    def card(self) -> dict[str, Any]:
        """The response of /v1/models/{uid}."""
        return {
            "model_type": "image",
            "address": self.replicas[0].painter.address,
            "accelerators": [],
            "model_name": self.uid,
            "model_engine": self.engine,
            "model_family": "stable_diffusion",
            "model_revision": None,
            "model_ability": ["text2image", "image2image"],
            "controlnet": None,
            "n_worker": 1,
            "replica": len(self.replicas),
        }

    def listed(self) -> list[dict[str, Any]]:
        """The response of /v1/models, which lacks models that are not ready."""
        if not self.ready:
            return []
        card = self.card() | {"model_base": None}
        del card["n_worker"]
        head = {"id": self.uid, "object": "model", "created": 0, "owned_by": "xinference"}
        return [head | card]

    def instance(self) -> dict[str, Any]:
        status = "READY" if self.ready else "CREATING" if self.loading else "ERROR"
        return {
            "model_name": self.uid,
            "model_uid": self.uid,
            "model_version": None,
            "model_ability": ["text2image", "image2image"],
            "replica": len(self.replicas),
            "status": status,
            "instance_created_ts": self._created,
            "n_worker": 1,
            "replica_statuses": [
                self._status(number, replica) | {"model_state": self._states(replica)[1]}
                for number, replica in enumerate(self.replicas)
            ],
        }

    def replica_list(self) -> list[dict[str, Any]]:
        return [
            self._status(number, replica)
            | {
                "model_address": replica.painter.address if self._is_up(replica) else None,
                "accelerators": [] if self._is_up(replica) else None,
            }
            for number, replica in enumerate(self.replicas)
        ]

    def _is_up(self, replica: Replica) -> bool:
        return replica.ready and not self.loading

    def _states(self, replica: Replica) -> tuple[str, str]:
        if self.loading:
            return "LOADING", "loading"
        return ("READY", "ready") if replica.ready else ("TERMINATING", "stopping")

    def _status(self, number: int, replica: Replica) -> dict[str, Any]:
        return {
            "replica_id": number,
            "replica_model_uid": replica.uid,
            "worker_address": WORKER,
            "status": self._states(replica)[0],
            "created_ts": self._created,
            "error_message": None,
            "replica_uid": None,
            "gpu_idx": None,
        }

    async def aclose(self) -> None:
        for replica in self.replicas:
            await replica.aclose()

    def queue_metrics(self) -> str:
        """Running and queued calls of each replica, in the text format of Prometheus."""
        name = "xinference:model_serve_count"
        lines = [f"# TYPE {name} gauge"]
        for number, replica in enumerate(self.replicas):
            labels = f'model_uid="{self.uid}",replica_index="{number}"'
            lines.append(f"{name}{{{labels}}} {float(len(replica.jobs))}")
        return "\n".join([*lines, ""])

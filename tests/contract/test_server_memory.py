"""The memory of the model server, from what it publishes."""

from __future__ import annotations

import pytest

from generation.xinference import ServerMemory, XinferenceClient
from generation.xinference.server_memory import server_memory

PUBLISHED = """# HELP xinference:worker_memory_used_bytes Memory used.
# TYPE xinference:worker_memory_used_bytes gauge
xinference:worker_memory_used_bytes{worker="a:1"} 3.0e+09
xinference:worker_memory_used_bytes{worker="b:1"} 1.0e+09
# TYPE xinference:worker_gpu_memory_used_bytes gauge
xinference:worker_gpu_memory_used_bytes{worker="a:1",gpu="0"} 2.0e+10
# TYPE xinference:worker_gpu_memory_total_bytes gauge
xinference:worker_gpu_memory_total_bytes{worker="a:1",gpu="0"} 2.4e+10
xinference:worker_cpu_utilization{worker="a:1"} 0.5
"""


async def test_a_server_says_its_memory_or_nothing(client: XinferenceClient) -> None:
    memory = await client.memory()

    assert memory.used is None or memory.used > 0


def test_machines_and_gpus_are_added_up() -> None:
    assert server_memory(PUBLISHED) == ServerMemory(
        used=4_000_000_000, gpu_used=20_000_000_000, gpu_total=24_000_000_000
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>nothing here</html>",
        "xinference:worker_memory_used_bytes NaN\n",
        "xinference:worker_memory_used_bytes -1\n",
        "xinference:worker_memory_used_bytes 1e300\n",
        'xinference:worker_memory_used_bytes{worker="a 7\n',
        "xinference:worker_memory_used_bytes\n",
    ],
)
def test_nonsense_is_nothing(text: str) -> None:
    assert server_memory(text) == ServerMemory()

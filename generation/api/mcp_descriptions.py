"""How the tools of the Model Context Protocol are described to models."""

from __future__ import annotations

from typing import Any

import mcp_types as mcp

from generation.api.mcp_tools import DRAW_WAIT, MAX_TASKS, MAX_WAIT
from generation.api.schemas import TaskRequest

TASK_ID = {"type": "string", "description": "as `draw` returned it"}
READS = mcp.ToolAnnotations(read_only_hint=True, open_world_hint=False)


def wait_of(default: int) -> dict[str, Any]:
    words = "seconds to wait for the end of the task"
    return {
        "type": "integer",
        "minimum": 0,
        "maximum": MAX_WAIT,
        "default": default,
        "description": words,
    }


def arguments(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def draw_arguments() -> dict[str, Any]:
    properties = TaskRequest.model_json_schema()["properties"]
    return arguments(("prompt",), **properties, wait=wait_of(DRAW_WAIT))


TOOLS = [
    mcp.Tool(
        name="draw",
        title="Draw pictures",
        description=(
            "Draw 1 to 4 pictures from a prompt and return them. If they are not done within "
            "`wait` seconds the task goes on: call `status` with its task_id."
        ),
        input_schema=draw_arguments(),
        annotations=mcp.ToolAnnotations(destructive_hint=False, open_world_hint=False),
    ),
    mcp.Tool(
        name="status",
        title="Status of a task",
        description="Show a task, with its pictures as far as they are drawn.",
        input_schema=arguments(("task_id",), task_id=TASK_ID, wait=wait_of(0)),
        annotations=READS,
    ),
    mcp.Tool(
        name="cancel",
        title="Cancel a task",
        description="Stop a task. Pictures that are drawn already stay.",
        input_schema=arguments(("task_id",), task_id=TASK_ID),
        annotations=mcp.ToolAnnotations(
            destructive_hint=True, idempotent_hint=True, open_world_hint=False
        ),
    ),
    mcp.Tool(
        name="pictures",
        title="List pictures",
        description="List the newest pictures: addresses and prompts. `status` shows the pictures.",
        input_schema=arguments(
            text={"type": "string", "description": "words of the prompt"},
            favourite={"type": "boolean", "description": "only favourites"},
            limit={
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_TASKS,
                "description": "number of tasks whose pictures are listed",
            },
            before={"type": "string", "description": "`next` of the previous answer"},
        ),
        annotations=READS,
    ),
]

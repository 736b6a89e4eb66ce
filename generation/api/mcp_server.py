"""The server of the Model Context Protocol: its tools, and their errors."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import mcp_types as mcp
from django.conf import settings
from django.http import HttpRequest
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from generation.api import mcp_descriptions, mcp_tools
from generation.api.mcp_tools import ToolCall
from generation.api.routes import api

REQUEST = "studio.request"
"""Where the ASGI scope has the request."""

INSTRUCTIONS = (
    "Draws pictures from a prompt. `draw` submits a task and waits for its pictures; the task goes "
    "on if the connection ends, and `status` follows it by its task_id. The addresses of pictures "
    "need the same token as this server; `page` opens in the user's browser."
)

Tool = Callable[[ToolCall], Awaitable[mcp.CallToolResult]]
TOOLS: dict[str, Tool] = {
    "draw": mcp_tools.draw,
    "status": mcp_tools.status,
    "cancel": mcp_tools.cancel,
    "pictures": mcp_tools.pictures,
}


async def list_tools(
    context: ServerRequestContext[Any, Any], params: mcp.PaginatedRequestParams | None
) -> mcp.ListToolsResult:
    return mcp.ListToolsResult(tools=mcp_descriptions.TOOLS)


async def call_tool(
    context: ServerRequestContext[Any, Any], params: mcp.CallToolRequestParams
) -> mcp.CallToolResult:
    """The result of a tool; errors are problems like those of other operations."""
    tool = TOOLS.get(params.name)
    if tool is None:
        raise MCPError(code=mcp.INVALID_PARAMS, message=f"Unknown tool: {params.name[:80]}")
    http: Any = context.request
    request: HttpRequest = http.scope[REQUEST]
    call = ToolCall(request, params.arguments or {}, context.session.report_progress)
    try:
        return await tool(call)
    except Exception as error:  # noqa: BLE001  each has its own problem
        return failed(json.loads(api.on_exception(request, error).content))


def failed(problem: dict[str, Any]) -> mcp.CallToolResult:
    text = f"{problem['code']}: {problem['title']}"
    if "field" in problem:
        text = ", ".join([f"{text} ({problem['field']})", *problem.get("words", [])])
    return mcp.CallToolResult(
        content=[mcp.TextContent(text=text)], structured_content=problem, is_error=True
    )


server: Server[Any] = Server(
    "liujuan-studio",
    version=settings.VERSION,
    title="LiuJuan Studio",
    instructions=INSTRUCTIONS,
    on_list_tools=list_tools,
    on_call_tool=call_tool,
)

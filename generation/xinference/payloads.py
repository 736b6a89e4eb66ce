"""The request body of one image, for both routes of the server."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawRequest:
    """One image; sizes in pixels, `request_id` a new UUID for every call."""

    request_id: str
    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance: float
    seed: int


def txt2img_body(model: str, request: DrawRequest) -> dict[str, Any]:
    return {
        "model": model,
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "width": request.width,
        "height": request.height,
        "steps": request.steps,
        "seed": request.seed,
        "cfg_scale": request.guidance,
        "request_id": request.request_id,
    }


def generations_body(model: str, request: DrawRequest) -> dict[str, Any]:
    """The body; settings are JSON text in `kwargs`, because top-level ones are ignored."""
    settings = {
        "request_id": request.request_id,
        "num_inference_steps": request.steps,
        "guidance_scale": request.guidance,
        "seed": request.seed,
        "negative_prompt": request.negative_prompt,
    }
    return {
        "model": model,
        "prompt": request.prompt,
        "n": 1,
        "size": f"{request.width}x{request.height}",
        "response_format": "b64_json",
        "kwargs": json.dumps(settings),
    }

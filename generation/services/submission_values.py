"""The settings of a submission as column values: defaults, and the checks of every value."""

from __future__ import annotations

import math
import uuid
from typing import Any

from django.conf import settings

from accounts.visible_text import is_blank
from generation import limits, selectors
from generation.error_codes import ErrorCode
from generation.exceptions import InvalidInput
from generation.identifiers import parse_uuid
from generation.protocol import Generate, is_unicode

DEFAULT_SIZE = (512, 512)
DEFAULT_STEPS = 9
DEFAULT_GUIDANCE = 0.0
"""Z-Image is distilled: nine steps without guidance are what it was made for."""


def defaults() -> dict[str, Any]:
    """Values of absent fields."""
    width, height = DEFAULT_SIZE
    return {
        "model": settings.XINFERENCE_MODEL,
        "width": width,
        "height": height,
        "n": 1,
        "steps": DEFAULT_STEPS,
        "guidance": DEFAULT_GUIDANCE,
    }


def column_values(request: Generate) -> dict[str, Any]:
    """The column values of `request` with defaults; raises InvalidInput."""
    width, height = size_of(request)
    values: dict[str, Any] = {
        "prompt": prompt_of(request.prompt, "prompt", required=True),
        "negative_prompt": prompt_of(request.negative_prompt, "negative_prompt", required=False),
        "model": request.model or settings.XINFERENCE_MODEL,
        "width": width,
        "height": height,
        "image_count": in_range(request.n, 1, limits.MAX_IMAGES, ErrorCode.COUNT_INVALID, "n"),
        "steps": in_range(
            request.steps, DEFAULT_STEPS, limits.MAX_STEPS, ErrorCode.STEPS_INVALID, "steps"
        ),
        "guidance": guidance_of(request.guidance),
        "requested_seed": seed_of(request.seed),
        "parent_id": parent_of(request.parent),
    }
    if not selectors.accepts_model(values["model"]):
        raise InvalidInput(ErrorCode.MODEL_UNKNOWN, "model")
    return values


def prompt_of(text: str, field: str, *, required: bool) -> str:
    if "\0" in text or not is_unicode(text):
        raise InvalidInput(ErrorCode.PROMPT_INVALID, field)
    text = "" if is_blank(text) else text.strip()
    if required and not text:
        raise InvalidInput(ErrorCode.PROMPT_EMPTY, field)
    if len(text) > limits.MAX_PROMPT:
        raise InvalidInput(ErrorCode.PROMPT_TOO_LONG, field)
    return text


def size_of(request: Generate) -> tuple[int, int]:
    width, height = request.size or DEFAULT_SIZE
    if width not in limits.SIDES or height not in limits.SIDES:
        raise InvalidInput(ErrorCode.SIZE_INVALID, "size")
    return width, height


def in_range(value: int | None, default: int, highest: int, code: ErrorCode, field: str) -> int:
    if value is None:
        return default
    if not 1 <= value <= highest:
        raise InvalidInput(code, field)
    return value


def guidance_of(value: float | None) -> float:
    if value is None:
        return DEFAULT_GUIDANCE
    if not math.isfinite(value) or not 0 <= value <= limits.MAX_GUIDANCE:
        raise InvalidInput(ErrorCode.GUIDANCE_INVALID, "guidance")
    return value


def seed_of(value: int | None) -> int | None:
    if value is not None and not 0 <= value <= limits.MAX_SEED:
        raise InvalidInput(ErrorCode.SEED_INVALID, "seed")
    return value


def parent_of(text: str | None) -> uuid.UUID | None:
    parent = None if text is None else parse_uuid(text)
    if text is not None and parent is None:
        raise InvalidInput(ErrorCode.NOT_FOUND, "parent")
    return parent

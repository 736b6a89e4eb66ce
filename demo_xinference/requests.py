"""Parses generation requests as the real server's schemas do, with the same messages."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass
from typing import Any

from demo_xinference.errors import Refusal

TXT2IMG = "txt2img"
GENERATIONS = "generations"
LARGEST = 2048 * 2048 * 2
"""Pixels beyond which this server reports that it is out of memory."""

DEFAULT_STEPS = 9
PIPELINE_STEPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRequest:
    """The requested picture, not yet checked by the model."""

    route: str
    model: str | None
    request_id: str | None
    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance: float
    seed: int

    def to_painting(self) -> dict[str, Any]:
        """The values for the painting process; a seed below 0 means a random one."""
        values = asdict(self)
        for name in ("route", "model", "request_id"):
            del values[name]
        values["prompt"] = self.prompt
        if self.seed == -1:
            values["seed"] = secrets.randbelow(2**32)
        return values

    def check(self) -> None:
        """Raise the errors that the model reports only when it runs the request."""
        status = 400 if self.route == TXT2IMG else 500
        for name, value in (("Height", self.height), ("Width", self.width)):
            if value % 16:
                raise Refusal(
                    status,
                    f"{name} must be divisible by 16 (got {value}). "
                    f"Please adjust the {name.lower()} to a multiple of 16.",
                )
        if self.width < 16 or self.height < 16:
            raise Refusal(status, "Trying to create tensor with negative dimension")
        if self.width * self.height > LARGEST:
            raise Refusal(500, "DefaultCPUAllocator: not enough memory")
        if not -(2**63) <= self.seed < 2**64:
            raise Refusal(status, "Overflow when unpacking long long")


def txt2img(raw: bytes) -> ImageRequest:
    """Parse the body; raises Refusal 422 as SDAPITxt2imgRequst does."""
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise Refusal(422, str(error)) from error
    form = Form(body if isinstance(body, dict) else {}, "SDAPITxt2imgRequst")
    request = ImageRequest(
        route=TXT2IMG,
        model=form.text("model", None),
        prompt=form.text("prompt", "") or "",
        negative_prompt=form.text("negative_prompt", "") or "",
        steps=form.integer("steps", DEFAULT_STEPS, least=1),
        seed=form.integer("seed", -1),
        guidance=form.real("cfg_scale", 7.0),
        width=form.integer("width", 512, least=8) // 8 * 8,
        height=form.integer("height", 512, least=8) // 8 * 8,
        request_id=form.text("request_id", None),
    )
    form.raise_errors(422)
    return request


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationsForm:
    """The body of /v1/images/generations; `kwargs` is parsed once the model is known."""

    model: str
    prompt: str
    n: int
    size: str
    response_format: str
    kwargs: str

    def request(self) -> ImageRequest:
        """Parse `kwargs`; raises Refusal 500, like most errors of this route."""
        try:
            settings = json.loads(self.kwargs) if self.kwargs else {}
        except ValueError as error:
            raise Refusal(500, str(error)) from error
        if not isinstance(settings, dict):
            raise Refusal(500, f"'{type(settings).__name__}' object has no attribute 'get'")
        width, height = self.dimensions()
        return ImageRequest(
            route=GENERATIONS,
            model=self.model,
            prompt=self.prompt,
            negative_prompt=str(settings.get("negative_prompt") or ""),
            steps=steps_of(settings.get("num_inference_steps", DEFAULT_STEPS)),
            seed=seed_of(settings.get("seed", -1)),
            guidance=number_of(settings.get("guidance_scale", 0)),
            width=width,
            height=height,
            request_id=settings.get("request_id"),
        )

    def dimensions(self) -> tuple[int, int]:
        """0 means 1024."""
        try:
            width, height = (int(part) for part in re.split(r"[^\d]", self.size))
        except ValueError as error:
            raise Refusal(500, str(error)) from error
        return width or 1024, height or 1024

    def check(self) -> None:
        """Raise the errors that the real server finds only after it has drawn the picture."""
        if self.n == 0:
            raise Refusal(500, "list index out of range")
        if self.n != 1:
            raise Refusal(500, "Trying to create tensor with negative dimension")
        if self.response_format != "b64_json":
            raise Refusal(500, f"Unsupported response format: {self.response_format}")


def generations(raw: bytes) -> GenerationsForm:
    """Parse the fields; raises Refusal 500 in plain text, as TextToImageRequest does."""
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise Refusal(500, f"Internal Server Error: {error}", plain=True) from error
    form = Form(body if isinstance(body, dict) else {}, "TextToImageRequest")
    parsed = GenerationsForm(
        model=form.text("model") or "",
        prompt=form.text("prompt") or "",
        n=form.integer("n", 1),
        size=form.text("size", "1024*1024") or "",
        response_format=form.text("response_format", "url") or "url",
        kwargs=form.text("kwargs", "") or "",
    )
    form.raise_errors(500, plain=True)
    return parsed


REQUIRED = "a field without a default"


class Form:
    """Reads fields one by one and collects their errors."""

    def __init__(self, body: dict[str, Any], name: str) -> None:
        self.body = body
        self.name = name
        self.errors: list[str] = []

    def add_error(self, field: str, message: str) -> None:
        self.errors.append(f"{field}\n  {message}")

    def raise_errors(self, status: int, *, plain: bool = False) -> None:
        if self.errors:
            plural = "s" if len(self.errors) > 1 else ""
            text = f"{len(self.errors)} validation error{plural} for {self.name}\n"
            text += "\n".join(self.errors)
            raise Refusal(status, f"Internal Server Error: {text}" if plain else text, plain=plain)

    def text(self, field: str, default: str | None = REQUIRED) -> str | None:
        value = self.body.get(field, default)
        if value is REQUIRED:
            self.add_error(field, "field required (type=value_error.missing)")
        elif value is None and default is not None:
            self.add_error(field, "none is not an allowed value (type=type_error.none.not_allowed)")
        elif value is not None and not isinstance(value, str):
            self.add_error(field, "str type expected (type=type_error.str)")
        else:
            return value
        return None

    def integer(self, field: str, default: int, *, least: int | None = None) -> int:
        value = self.body.get(field, default)
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            self.add_error(field, "value is not a valid integer (type=type_error.integer)")
            return default
        if least is not None and number < least:
            self.add_error(
                field,
                f"ensure this value is greater than or equal to {least} "
                f"(type=value_error.number.not_ge; limit_value={least})",
            )
        return number

    def real(self, field: str, default: float) -> float:
        try:
            return float(self.body.get(field, default))
        except (TypeError, ValueError):
            self.add_error(field, "value is not a valid float (type=type_error.float)")
            return default


def steps_of(value: Any) -> int:
    """0 means the default of the pipeline, as in the real server."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(500, f"'{type(value).__name__}' object cannot be interpreted as an integer")
    if value < 0:
        raise Refusal(500, "number of steps must be non-negative")
    return value or PIPELINE_STEPS


def seed_of(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(500, f"manual_seed expected a long, but got {type(value).__name__}")
    return value


def number_of(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(500, f"'>' not supported between '{type(value).__name__}' and 'int'")
    return float(value)

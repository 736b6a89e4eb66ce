"""A picture out of noise: a flow-matching sampler whose denoiser is a brush.

Step k knows the noise level s_k and estimates the clean picture: the composition as far as it
can be seen at that level, its colour drawn out along the forms, its texture the picture's own
noise, drawn out in the same way. The sampler moves from the noisy picture towards the estimate
until no noise is left. Each step works on what the one before left behind.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from demo_xinference.painting import reading
from demo_xinference.painting.brushwork import drawn_out, flow_of
from demo_xinference.painting.noise import Field, blurred, fbm, smoothstep
from demo_xinference.painting.scenes import compose

TAPS = 15
PASSES = 4
"""Samples to each side and rounds of one step at speed 1: about 0.5 s for 512² on one core."""

SHIFT = 3.0
"""How long the sampler stays at high noise, as turbo models do."""

START_NOISE = 0.30


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to paint; the same order gives the same bytes."""

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    guidance: float
    seed: int


class Painting:
    """`advance` once for each step, then `finish`."""

    def __init__(self, order: Order, speed: float) -> None:
        self.order = order
        self.done = 0
        size = (order.width, order.height)
        read = reading.read(order.prompt, order.negative_prompt, order.seed, order.guidance, size)
        self.rng = np.random.default_rng(read.seed)
        width, height = (max(64, round(edge * sheet_scale(speed))) for edge in size)
        self.goal = compose(read, width, height)
        self.unit = min((width * height) ** 0.5, 1.35 * min(width, height))
        self.roughen()
        self.flow = flow_of(self.goal, self.unit, self.rng)
        work = PASSES * TAPS / max(speed, 1e-3)
        self.passes = max(1, min(PASSES, round(work / 4)))
        self.taps = max(1, round(work / self.passes))
        shape = (height, width)
        self.grain = self.rng.standard_normal(shape, dtype=np.float32)
        noise = self.rng.standard_normal((*shape, 3), dtype=np.float32)
        self.picture = np.float32(0.5) + np.float32(START_NOISE) * noise

    def roughen(self) -> None:
        """Let the borders of colours waver, as wet pigment on paper does."""
        height, width = self.goal.shape[:2]
        y, x = (
            0.0026
            * self.unit
            * fbm((height, width), max(2.0, 0.024 * self.unit), self.rng, octaves=3)
            for _ in range(2)
        )
        y = np.clip(y + np.arange(height, dtype=np.float32)[:, None], 0, height - 1.001)
        x = np.clip(x + np.arange(width, dtype=np.float32), 0, width - 1.001)
        row, column = y.astype(np.int32), x.astype(np.int32)
        down, right = (y - row)[..., None], (x - column)[..., None]
        flat, at = self.goal.reshape(-1, 3), row * width + column
        upper = flat[at] + (flat[at + 1] - flat[at]) * right
        lower = flat[at + width] + (flat[at + width + 1] - flat[at + width]) * right
        self.goal = upper + (lower - upper) * down

    def level(self, step: int) -> float:
        """Share of noise in the picture after `step` steps: 1 at first, 0 at the end."""
        plain = 1 - step / self.order.steps
        return SHIFT * plain / (1 + (SHIFT - 1) * plain)

    def advance(self) -> None:
        """One denoising step."""
        now, after = self.level(self.done), self.level(self.done + 1)
        clean = self.estimate(now)
        self.picture = clean + np.float32(after / now) * (self.picture - clean)
        self.done += 1

    def estimate(self, level: float) -> Field:
        """The estimate of the clean picture at this noise level."""
        seen = blurred(self.goal, 0.07 * self.unit * max(0.0, level - 0.25) ** 1.5)
        residue = (self.picture - seen).mean(axis=2)
        self.grain = normal(0.75 * self.grain + 0.5 * normal(residue))
        length = (0.007 + 0.012 * level) * self.unit
        field = np.concatenate([seen, self.grain[..., None]], axis=2)
        for _ in range(self.passes):
            field = drawn_out(field, self.flow, length / self.passes**0.5, self.taps)
        texture = normal(field[..., 3] - blurred(field[..., 3], 0.02 * self.unit))
        return self.brushed(seen, field[..., :3], texture)

    def brushed(self, seen: Field, drawn: Field, texture: Field) -> Field:
        """Colour between sharp and drawn out, streaked by the hairs of the brush."""
        detail = np.abs(seen - drawn).max(axis=2)
        keep = smoothstep(0.02, 0.14, detail)[..., None]
        colour = seen + (drawn - seen) * (0.60 - 0.48 * keep)
        streak = np.clip(texture, -2.5, 2.5)[..., None]
        room = np.sqrt(np.clip(colour * (1 - colour), 0, 0.25))
        hue = np.asarray((0.027, 0.025, 0.021), np.float32)
        result: Field = colour + 2 * room * hue * streak
        return result

    def settled(self) -> Field:
        """The colours once more along the brush, and as much sharper again: wet paint dries."""
        reach = 0.003 * self.unit
        soft = drawn_out(self.picture, self.flow, reach, max(1, self.taps * self.passes // 2))
        sharp = soft + 0.20 * (soft - blurred(soft, max(1.0, 0.004 * self.unit)))
        result: Field = np.clip(0.5 * self.picture + 0.5 * sharp, 0, 1)
        return result

    def finish(self) -> bytes:
        """The finished sheet as a JPEG file."""
        shape = self.picture.shape[:2]
        picture = self.settled()
        fibre = fbm(shape, max(1.5, 0.004 * self.unit), self.rng, octaves=2, stretch=3.0)
        fibre += fbm(shape, max(1.5, 0.006 * self.unit), self.rng, octaves=2, stretch=0.4)
        cloud = fbm(shape, 0.5 * self.unit, self.rng, octaves=3)
        paper = 1 + 0.020 * fibre + 0.018 * cloud
        y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
        x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
        edge = 1 - 0.10 * smoothstep(0.75, 1.9, x * x + y * y)
        picture = picture * (paper * edge)[..., None]
        strength = 1 + 0.012 * min(10.0, max(0.0, self.order.guidance))
        picture = np.clip((picture - 0.5) * np.float32(strength) + 0.5, 0, 1)
        pixels = np.round(picture * 255).astype(np.uint8)
        file = io.BytesIO()
        sheet = Image.fromarray(pixels)
        if sheet.size != (self.order.width, self.order.height):
            sheet = sheet.resize((self.order.width, self.order.height), Image.Resampling.BICUBIC)
        sheet.save(file, "JPEG")
        return file.getvalue()


def sheet_scale(speed: float) -> float:
    """Above speed 5 the sheet is smaller, and enlarged at the end: strokes alone take too little
    of the time to make a picture that much faster."""
    return float((5 / speed) ** 0.5) if speed > 5 else 1.0


def normal(field: Field) -> Field:
    """`field` with mean 0 and spread 1."""
    centred = field - field.mean()
    return np.asarray(centred / max(1e-6, float(centred.std())), dtype=np.float32)

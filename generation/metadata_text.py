"""The settings of a picture as text, in the common format of picture metadata."""

from __future__ import annotations

import json
import re

NEGATIVE = "Negative prompt:"
ENDS_A_PAIR = re.compile(r'[,:\n"]')


def to_text(
    *,
    prompt: str,
    negative_prompt: str,
    steps: int,
    guidance: float,
    seed: int,
    width: int,
    height: int,
    model: str,
) -> str:
    """Lines of prompt, lines of negative prompt, then one line of `key: value` pairs.

    Prompts that were removed are left out.

    A prompt with a line that begins with "Negative prompt:" is ambiguous; it is repeated among
    the pairs as JSON text.
    """
    lines = [prompt] if prompt else []
    if negative_prompt:
        lines.append(f"{NEGATIVE} {negative_prompt}")
    pairs = {
        "Steps": str(steps),
        "CFG scale": f"{guidance:g}",
        "Seed": str(seed),
        "Size": f"{width}x{height}",
        "Model": json_text(model) if ENDS_A_PAIR.search(model) else model,
    }
    if names_the_other(prompt) or names_the_other(negative_prompt):
        pairs |= {"Prompt": json_text(prompt), "Negative prompt": json_text(negative_prompt)}
    lines.append(", ".join(f"{name}: {value}" for name, value in pairs.items()))
    return "\n".join(lines)


def names_the_other(prompt: str) -> bool:
    return any(line.lstrip().startswith(NEGATIVE) for line in prompt.splitlines())


def json_text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)

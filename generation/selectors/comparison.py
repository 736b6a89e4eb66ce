"""Comparison of pictures: shared settings, and how each differs."""

from __future__ import annotations

from collections import Counter
from typing import Any, TypedDict

from generation.selectors.image_detail import ImageDetail

SETTINGS = ("prompt", "negative_prompt", "model", "size", "steps", "guidance", "seed")


class ComparedSetting(TypedDict):
    """`differs`: the value is not the most frequent one."""

    name: str
    value: Any
    differs: bool


class ComparedPicture(TypedDict):
    """`facts`: the settings that differ between the pictures."""

    picture: ImageDetail
    facts: list[ComparedSetting]


class Comparison(TypedDict):
    """`shared`: the settings that all pictures have; `slides`: they can be overlaid."""

    pictures: list[ComparedPicture]
    shared: dict[str, Any]
    slides: bool


def comparison(pictures: list[ImageDetail]) -> Comparison:
    """Compare at least two pictures; of equally frequent values the first counts as usual."""
    values = [compared_settings(picture) for picture in pictures]
    usual = {name: Counter(each[name] for each in values).most_common(1)[0][0] for name in SETTINGS}
    shared = {name: usual[name] for name in SETTINGS if len({each[name] for each in values}) == 1}
    differing = [name for name in SETTINGS if name not in shared]
    return {
        "pictures": [
            {
                "picture": picture,
                "facts": [
                    {"name": name, "value": each[name], "differs": each[name] != usual[name]}
                    for name in differing
                ],
            }
            for picture, each in zip(pictures, values, strict=True)
        ],
        "shared": shared,
        "slides": len(pictures) == 2 and same_shape(*pictures),
    }


def compared_settings(picture: ImageDetail) -> dict[str, Any]:
    values: dict[str, Any] = {**picture, "size": f"{picture['width']} × {picture['height']}"}
    return {name: values[name] for name in SETTINGS}


def same_shape(one: ImageDetail, other: ImageDetail) -> bool:
    return one["width"] * other["height"] == other["width"] * one["height"]

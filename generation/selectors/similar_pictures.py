"""Pictures that look the same as another."""

from __future__ import annotations

from generation.models import GeneratedImage

NEAR_BITS = 6
"""Bits of 64 in which hashes of the same picture differ after scaling and new compression."""

MAX_COMPARED = 20_000
"""Newest pictures whose hashes are compared; equal hashes are found by an index, of any age."""


def similar_pictures(image: GeneratedImage, *, most: int) -> list[int]:
    """Ids of up to `most` pictures that look like `image`, the newest first, with its own.

    Pictures of the demo model and flat ones have no hash; they are like themselves only.
    """
    own = image.similarity
    if own is None:
        return [image.pk]
    rows = GeneratedImage.objects.order_by("-pk")
    equal = rows.filter(similarity=own).values_list("pk", flat=True)[:most]
    newest = rows.values_list("pk", "similarity")[:MAX_COMPARED]
    near = [key for key, other in newest if other is not None and is_near(own, other)]
    return sorted({image.pk, *equal, *near[:most]}, reverse=True)[:most]


def is_near(one: int, other: int) -> bool:
    # as 64 bits: a negative number has no others
    return ((one ^ other) % 2**64).bit_count() <= NEAR_BITS

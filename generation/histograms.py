"""Histograms of durations with fixed buckets, so that those of several minutes can be added.

A histogram is {bucket: count}, with the bucket as text, as JSON keeps it. Each bucket ends at
1.19 times the end of the one before it: a quantile is exact to within a tenth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import ceil, log2

Histogram = Mapping[str, int]

FIRST_END = 0.01
"""Seconds at which the first bucket ends."""
PER_DOUBLING = 4
MAX_BUCKET = 112
"""Ends after a month."""


def bucket_of(seconds: float) -> str:
    if seconds <= FIRST_END:
        return "0"
    # a duration at the end of a bucket must not fall into the next one by a rounding error
    return str(min(MAX_BUCKET, ceil(PER_DOUBLING * log2(seconds / FIRST_END) - 1e-9)))


def end_of(bucket: int) -> float:
    """Seconds at which the bucket ends; -1 stands for the beginning of the first one."""
    return FIRST_END * 2 ** (bucket / PER_DOUBLING) if bucket >= 0 else FIRST_END / 2


def histogram_of(durations: Iterable[float]) -> dict[str, int]:
    return dict(Counter(map(bucket_of, durations)))


def added(histograms: Iterable[Histogram]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in histograms:
        for bucket, count in each.items():
            total[bucket] = total.get(bucket, 0) + count
    return total


def quantile(histogram: Histogram, share: float) -> float | None:
    """Seconds within which `share` of the durations lie; None without a duration."""
    total = sum(histogram.values())
    wanted, passed = share * total, 0
    for bucket, count in sorted((int(bucket), count) for bucket, count in histogram.items()):
        if count and passed + count >= wanted:
            low, high = end_of(bucket - 1), end_of(bucket)
            within: float = max(0.0, (wanted - passed) / count)
            return float(low * (high / low) ** within)
        passed += count
    return None

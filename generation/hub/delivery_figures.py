"""What this process counts of its deliveries, for its row and for monitoring."""

from __future__ import annotations

from dataclasses import dataclass, field

from generation.histograms import bucket_of, quantile


@dataclass(slots=True)
class DeliveryFigures:
    """Counters of the process; `delays` is emptied with each report."""

    polls: int = 0
    gaps_healed: int = 0
    """Times that a client was behind and got events from the log."""
    delays: dict[str, int] = field(default_factory=dict)
    """Histogram of the seconds between commits and deliveries."""

    def delivered(self, seconds: float) -> None:
        bucket = bucket_of(seconds)
        self.delays[bucket] = self.delays.get(bucket, 0) + 1

    def take(self) -> tuple[int, float | None]:
        """(polls, p95 of the delays) since the call before."""
        taken = self.polls, quantile(self.delays, 0.95)
        self.polls, self.delays = 0, {}
        return taken


figures = DeliveryFigures()
"""This process's."""

"""Calls that run or wait on the model server, from the metrics port of its worker."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

QUEUE_LENGTH = "xinference:model_serve_count"
"""Of each replica: calls that run or wait there, of whichever client."""

MOST_CALLS = 10_000
"""Of a model; a larger number is a mistake."""


def queue_lengths(text: str) -> dict[str, int]:
    """Model → its calls, of all replicas; nothing is known of a text in another format.

    Raises ValueError if the text is not in the format of Prometheus.
    """
    found: dict[str, int] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                model = sample.labels.get("model_uid")
                if sample.name == QUEUE_LENGTH and model and 0 <= sample.value <= MOST_CALLS:
                    found[model] = min(MOST_CALLS, found.get(model, 0) + int(sample.value))
    except (KeyError, IndexError) as error:
        raise ValueError("not the text format of Prometheus") from error
    return found

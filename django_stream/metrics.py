"""Metrics of the outbox for Prometheus (extra `prometheus`): call `register_metrics()` once at start."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from django_stream import signals
from django_stream.publishing.queues import waiting_messages
from django_stream.publishing.status import outbox_status

__all__ = ["register_metrics"]

logger = logging.getLogger("django_stream.publishing")


def register_metrics(registry: Any = None, databases: Sequence[str] = ("default",)) -> None:
    """Export depth, age and parked entries at each scrape, and count outcomes as they happen."""
    try:
        import prometheus_client
    except ImportError as error:
        raise ImportError("metrics need: pip install 'django-stream-feeds[prometheus]'") from error
    registry = registry or prometheus_client.REGISTRY
    registry.register(_OutboxCollector(databases))
    outcomes = prometheus_client.Counter(
        "django_stream_changes", "Objects by outcome of a drain", ["model", "outcome"], registry=registry
    )
    for outcome, signal in _OUTCOMES.items():

        def count(sender: Any, keys: list[str], outcome: str = outcome, **_: Any) -> None:
            outcomes.labels(sender._meta.label if sender else "untracked", outcome).inc(len(keys))

        signal.connect(count, weak=False, dispatch_uid=f"django_stream.prometheus.{id(registry)}.{outcome}")


class _OutboxCollector:
    """Reads the outbox when somebody looks, so that all processes tell the same."""

    def __init__(self, databases: Sequence[str]) -> None:
        self._databases = databases

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        states = {using: outbox_status(using) for using in self._databases}
        for name, text in _GAUGES.items():
            gauge = GaugeMetricFamily(f"django_stream_outbox_{name}", text, labels=["database"])
            for using, state in states.items():
                gauge.add_metric([using], getattr(state, name))
            yield gauge
        queues = GaugeMetricFamily(
            "django_stream_queue_messages", "Messages no worker has taken", labels=["queue"]
        )
        for queue, count in _queued().items():
            queues.add_metric([queue], count)
        yield queues

    def describe(self) -> list[Any]:
        """Registering must not ask the database, which may not be there yet."""
        return []


def _queued() -> dict[str, int]:
    try:
        return waiting_messages()
    except Exception:  # each kind of broker has errors of its own; the outbox is told of all the same
        logger.warning("the broker does not tell how many messages wait", exc_info=True)
        return {}


_GAUGES = {
    "depth": "Changes that wait",
    "oldest_seconds": "Age of the oldest waiting change",
    "retrying": "Changes that failed before",
    "parked": "Changes given up for now",
}
_OUTCOMES = {
    "published": signals.changes_published,
    "failed": signals.changes_failed,
    "parked": signals.changes_parked,
}

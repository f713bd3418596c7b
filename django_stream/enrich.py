"""The names of stream-django's `enrich` module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from django_stream.feeds import enrichment
from django_stream.feeds.enrichment import EnrichedActivity

__all__ = ["Enrich", "EnrichedActivity"]


class Enrich(enrichment.Enrich):
    """Replaces references by instances, also in the very activities that it is given.

    Views of stream-django's time may go on with those, and not with what is returned.
    """

    def enrich_activities(self, activities: Iterable[Mapping[str, Any]]) -> list[EnrichedActivity]:
        activities = list(activities)
        enriched = super().enrich_activities(activities)
        self._write_back(activities, enriched)
        return enriched

    def enrich_aggregated_activities(self, groups: Iterable[Mapping[str, Any]]) -> list[EnrichedActivity]:
        groups = list(groups)
        enriched = super().enrich_aggregated_activities(groups)
        for group, shown in zip(groups, enriched, strict=True):
            self._write_back(group["activities"], shown["activities"])
        return enriched

    def _write_back(self, activities: Iterable[Mapping[str, Any]], enriched: list[EnrichedActivity]) -> None:
        for activity, shown in zip(activities, enriched, strict=True):
            if isinstance(activity, MutableMapping):
                names = (shown.keys() & self.fields) - shown.missing.keys()
                activity.update({name: shown[name] for name in names})

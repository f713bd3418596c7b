"""Enrichment: references inside activities become model instances, by one query for each model shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import models

from django_stream.activities.model_references import Reference, clean_pk, object_id_of, parse_reference
from django_stream.activities.publishers.activities import representation_of
from django_stream.activities.registry import is_shown
from django_stream.conf import stream_settings

DEFAULT_FIELDS = ("actor", "object", "target")

_OPTIONAL = {"target"}
_Found = dict[Reference, models.Model]


class MissingObject(ObjectDoesNotExist):
    """An activity refers to a row that is gone, and STREAM_MISSING_OBJECTS is "raise"."""


class EnrichedActivity(dict[str, Any]):
    """An activity whose references are instances; `missing` names the fields where none was found."""

    def __init__(self, activity: Mapping[str, Any], missing: Mapping[str, str] | None = None) -> None:
        super().__init__(activity)
        self.missing: dict[str, str] = dict(missing or {})

    @property
    def enriched(self) -> bool:
        return not self.missing

    @property
    def can_be_shown(self) -> bool:
        """Whether actor and object are there; an activity can do without its target."""
        return not self.missing.keys() - _OPTIONAL

    @property
    def not_enriched_data(self) -> dict[str, str]:
        """The name that stream-django gives to `missing`."""
        return self.missing


class Enrich:
    """Replaces references in the given fields, in flat and in aggregated activities.

    Values are read from the activities and never written into them: new objects come back.
    """

    def __init__(self, fields: Sequence[str] = DEFAULT_FIELDS, *, using: str | None = None) -> None:
        if isinstance(fields, str):
            raise TypeError(f"fields must be a list of names: [{fields!r}]")
        self.fields = tuple(fields)
        self.using = using

    def enrich_activities(self, activities: Iterable[Mapping[str, Any]]) -> list[EnrichedActivity]:
        """All activities in order, each with its `missing` fields noted."""
        activities = list(activities)
        found = self._fetch(activities)
        return [self._enrich(activity, found) for activity in activities]

    def enrich_aggregated_activities(self, groups: Iterable[Mapping[str, Any]]) -> list[EnrichedActivity]:
        """Groups with their inner activities enriched: still one query for each model of the page."""
        groups = list(groups)
        found = self._fetch(activity for group in groups for activity in group["activities"])
        return [
            EnrichedActivity(
                {**group, "activities": [self._enrich(activity, found) for activity in group["activities"]]}
            )
            for group in groups
        ]

    def _references(self, activity: Mapping[str, Any]) -> Iterator[tuple[str, Reference]]:
        for name in self.fields:
            reference = parse_reference(activity.get(name))
            if reference is not None and is_shown(reference.model):
                yield name, reference

    def _fetch(self, activities: Iterable[Mapping[str, Any]]) -> _Found:
        wanted: dict[type[models.Model], set[str]] = defaultdict(set)
        for activity in activities:
            for _, reference in self._references(activity):
                wanted[reference.model].add(reference.object_id)
        return {
            Reference(model, object_id_of(row)): row
            for model, ids in wanted.items()
            for row in self._rows(model, ids)
            if _may_be_shown(row)
        }

    def _rows(self, model: type[models.Model], object_ids: set[str]) -> models.QuerySet[Any]:
        pks = [pk for object_id in object_ids if (pk := clean_pk(model, object_id)) is not None]
        rows = model._default_manager.using(self.using).filter(pk__in=pks)
        related = getattr(model, "activity_related_models", None)
        paths = related() if related else None
        prefetch = getattr(model, "activity_prefetch_related", None)
        rows = rows.select_related(*paths) if paths else rows
        return rows.prefetch_related(*prefetch()) if prefetch else rows

    def _enrich(self, activity: Mapping[str, Any], found: _Found) -> EnrichedActivity:
        values: dict[str, Any] = dict(activity)
        missing: dict[str, str] = {}
        for name, reference in self._references(activity):
            row = found.get(reference)
            if row is None:
                missing[name] = activity[name]
                if name in _OPTIONAL:
                    values[name] = ""  # as in an activity that never had one
            else:
                values[name] = row
        return EnrichedActivity(values, missing)


def _may_be_shown(row: models.Model) -> bool:
    """Rows that should not be published count as missing, since anybody can write a reference to them."""
    representation = representation_of(row)
    return representation is None or representation.activity_should_publish


def apply_missing_policy(
    activities: Iterable[EnrichedActivity], policy: str | None = None
) -> Iterator[EnrichedActivity]:
    """Drop, keep as placeholders, or refuse activities whose rows are gone; groups lose such members."""
    policy = policy or stream_settings.MISSING_OBJECTS
    for activity in activities:
        if "activities" in activity:
            members = list(apply_missing_policy(activity["activities"], policy))
            if members:
                yield EnrichedActivity({**activity, "activities": members})
        elif policy == "placeholder" or activity.can_be_shown:
            yield activity
        elif policy == "raise":
            raise MissingObject(
                f"activity {activity.get('id')} refers to rows that are gone: {activity.missing}"
            )

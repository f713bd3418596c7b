"""Which rows of a table a command is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.db import models

from django_stream.activities.paths import Source, first_field
from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.activities.representation import DEFAULT_TIME, overrides, represents_itself
from django_stream.database.querysets import all_rows
from django_stream.protocol.feed_ids import FeedID
from django_stream.publishing.one_by_one import desired_state
from django_stream.publishing.publisher import Desired, Publisher


class UnknownSelection(ValueError):
    """The options do not fit the model."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Options that leave rows out; without any, a whole table."""

    since: datetime | None = None
    until: datetime | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    feed: str | None = None
    """Slug of a feed group: only rows that something goes to one of its feeds of."""

    @property
    def is_all(self) -> bool:
        return not (self.since or self.until or self.where or self.feed)

    def options(self) -> dict[str, Any]:
        """In plain JSON."""
        moments = {name: value and value.isoformat() for name, value in self._moments().items()}
        return {**moments, "where": dict(self.where), "feed": self.feed}

    def _moments(self) -> dict[str, datetime | None]:
        return {"since": self.since, "until": self.until}

    def rows(self, publisher: Publisher, using: str) -> models.QuerySet[Any]:
        """The rows to walk over; UnknownSelection when they cannot be told apart by the database."""
        rows = all_rows(publisher.model, using)
        wanted: dict[str, Any] = dict(self.where)
        if self.since or self.until:
            column = _time_column(publisher)
            lookups = {f"{column}__gte": self.since, f"{column}__lt": self.until}
            wanted |= {name: moment for name, moment in lookups.items() if moment}
        try:
            return rows.filter(**wanted) if wanted else rows
        except (FieldError, ValueError, TypeError, ValidationError) as error:
            raise UnknownSelection(f"{publisher.model._meta.label}: {error}") from error

    def keys(self, publisher: Publisher, keys: list[str], using: str) -> list[str]:
        """Those of the keys that a feed of the group is to get, or may have."""
        if self.feed is None:
            return keys
        state = desired_state(publisher, keys, using)
        return [key for key in keys if self._concerns(state.get(key))]

    def _concerns(self, desired: Desired | Exception | None) -> bool:
        if not isinstance(desired, Desired):
            return isinstance(desired, Exception)
        feeds = [name for record in desired.records for name in (record.get("feed"), *record.get("to", ()))]
        return any(FeedID.parse(name).slug == self.feed for name in feeds if name)


def _time_column(publisher: Publisher) -> str:
    """The column of an activity's time."""
    label, hint = publisher.model._meta.label, "choose rows by --where"
    if not isinstance(publisher, ActivityPublisher):
        raise UnknownSelection(f"{label}: its {publisher.kind or 'rows'} have no time; {hint}")
    source: Source = publisher.declaration.time or DEFAULT_TIME
    is_replaced = represents_itself(publisher.model) and overrides(publisher.model, "activity_time")
    if is_replaced or not isinstance(source, str) or first_field(publisher.model, source) is None:
        raise UnknownSelection(f"{label}: its time is made by code, which no database can compare; {hint}")
    return source.replace(".", "__")

"""The interface of publishers, and the list of which model is published by which."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import models

from django_stream.database.triggers.noting import NotedTable

if TYPE_CHECKING:
    from django_stream.client import StreamClient

_in_one_order = json.JSONEncoder(sort_keys=True, default=str).encode
ObjectName = tuple[str, str]
"""The label of an object's publisher, and its key."""
Record = dict[str, Any]
"""Identifies one thing in the feeds, in plain JSON: enough to remove it when the row is gone."""


@dataclass(frozen=True)
class Desired:
    """What the feeds should hold for an object now: the records that name it and the content to send."""

    records: list[Record]
    content: Any = None
    problem: str = ""
    """What of the row cannot be published: the rest is, and the change is parked with this reason."""

    @cached_property
    def digest(self) -> str:
        """Changes exactly when records or content do."""
        text = _in_one_order([self.records, self.content])
        return hashlib.sha256(text.encode()).hexdigest()[:48]


@dataclass(frozen=True, slots=True)
class Change:
    """From what the feeds may hold to what they should hold; `desired` None takes the object out.

    `confirmed` means that `before` is there for certain, not merely possibly.
    """

    key: str
    before: list[Record]
    desired: Desired | None
    confirmed: bool

    @property
    def stale(self) -> list[Record]:
        """Records to take out."""
        keep = self.desired.records if self.desired else []
        return [record for record in self.before if record not in keep]


class Dependents(NamedTuple):
    """Objects of another publisher that are looked at once changes are made."""

    label: str
    keys: Iterable[str]
    force: bool = False
    """Send them even if the feeds seem to hold them already."""


class Unpublishable(ValueError):
    """A row cannot be published as it is now: what the feeds have of it is taken out, and it is parked."""


class Refused(Exception):
    """The API refused the first request for a change, so the feeds are as they were before."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Publisher(ABC):
    """Brings the feeds in line with the rows of one model."""

    kind = ""
    """Distinguishes publishers of one model; empty for activities."""
    keys_follow_fields = False
    """Whether a row's keys come from fields that may change, and not from its primary key."""
    capture: str | None = None
    """Who notes changes: "signals" or "database"; None leaves it to STREAM_CAPTURE."""

    def __init__(self, model: type[models.Model]) -> None:
        self.model = model
        self.key_fields: tuple[Any, ...] = tuple(model._meta.pk_fields)
        """The columns that make a key."""

    @property
    def label(self) -> str:
        """Names the publisher in the outbox: the model, and the kind where it is not its activities."""
        label = self.model._meta.label
        return f"{label}#{self.kind}" if self.kind else label

    def matters(self, changed_fields: Collection[str]) -> bool:
        """Whether a change of these fields can change the feeds."""
        return True

    @abstractmethod
    def keys_of(self, instance: models.Model) -> list[str]:
        """Keys whose feeds a change of this row touches. One key is worked on by one worker at a time."""

    @abstractmethod
    def keys_where(self, rows: models.QuerySet[Any]) -> Iterable[str]:
        """The keys of all rows of a queryset, streamed."""

    def keys_at(self, rows: models.QuerySet[Any], pks: list[Any]) -> Iterable[str]:
        """The keys of those rows of a queryset that have these primary keys."""
        return self.keys_where(rows.filter(pk__in=pks))

    @abstractmethod
    def desired(self, keys: Collection[str], using: str) -> Mapping[str, Desired | Exception]:
        """What the feeds should hold, by key. A missing key: nothing; an exception: this object's failure."""

    def there(self, keys: Collection[str], using: str) -> Collection[str]:
        """Those of the keys that some row has, whether or not it publishes anything."""
        return self.desired(keys, using).keys()

    def desired_by_columns(self, keys: Collection[str], using: str) -> Mapping[str, Desired] | None:
        """`desired` where the columns say all of it; None where the site's code is to be asked."""
        return None

    def order(self) -> str | None:
        """An indexed column of the model that keeps rows of one feed together; None for no such column."""
        return None

    @abstractmethod
    def apply(self, client: StreamClient, changes: list[Change]) -> Mapping[str, Exception]:
        """Send the changes; returns the failures by key. Sending twice must do no harm.

        A failure that certainly changed nothing is `Refused`: what was about to be sent is forgotten.
        """

    def noted_tables(self, using: str) -> Iterable[NotedTable]:
        """The tables whose changes touch the feeds, for triggers; TypeError where these cannot name them."""
        return ()

    def dependents(self, changes: Collection[Change], using: str) -> Iterator[Dependents]:
        """Objects of other publishers that are looked at once these changes are made."""
        yield from ()


_publishers: dict[str, Publisher] = {}
_by_model: dict[type[models.Model], list[Publisher]] = {}


def register_publisher(publisher: Publisher) -> None:
    """Track a model; a second registration of the same kind replaces the first."""
    _publishers[publisher.label] = publisher
    _forget_who_publishes()


def unregister_publisher(publisher: Publisher) -> None:
    """Track a model no longer; its signals are received and find no publisher."""
    _publishers.pop(publisher.label, None)
    _forget_who_publishes()


def _forget_who_publishes() -> None:
    _by_model.clear()
    publishers.cache_clear()


def publisher_for(label: str) -> Publisher | None:
    return _publishers.get(label)


def publishers_of(model: type[models.Model]) -> list[Publisher]:
    """All publishers that a change of this model's rows concerns.

    Proxies share those of their concrete model. A row may also be a row of a tracked child model.
    """
    if model not in _by_model:
        concrete = model._meta.concrete_model or model
        _by_model[model] = [
            one
            for one in publishers()
            if issubclass(one.model, concrete) and (one.model is concrete or not one.keys_follow_fields)
        ]
    return _by_model[model]


@cache
def publishers() -> tuple[Publisher, ...]:
    return tuple(sorted(_publishers.values(), key=lambda publisher: publisher.label))

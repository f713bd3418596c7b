"""What a stream asks for, and which of many streams an event is for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from django_stream.server.feed_store import database
from django_stream.server.models import AppStream
from django_stream.server.object_types import names_by_kind
from django_stream.server.streams import filters, frames
from django_stream.server.streams.filters import Filter
from django_stream.server.streams.frames import Frame
from django_stream.server.streams.log import Logged
from django_stream.server.streams.matching import FilterIndex


@dataclass(frozen=True, slots=True)
class Subscription:
    """The part of a stream that decides what its readers get."""

    number: int
    application_id: int
    object_types: tuple[str, ...]
    filter_id: int = 0
    filter: Filter | None = None

    @classmethod
    def of(cls, stream: AppStream) -> Subscription:
        row = stream.filter
        mine = cls(stream.pk, stream.application_id, tuple(stream.object_types))
        if row is None:
            return mine
        return replace(mine, filter_id=row.pk, filter=filters.parse(row.match_policy, row.clauses))


def load(numbers: Collection[int]) -> dict[int, Subscription]:
    """Those of these streams that exist."""
    rows = AppStream.objects.using(database()).select_related("filter").filter(pk__in=numbers)
    feeds = {number: feeds_of(-number) for number in numbers if number < 0}
    return {stream.pk: Subscription.of(stream) for stream in rows} | feeds


def feeds_of(application_id: int) -> Subscription:
    """What is new on all feeds of an application. It is no stream, hence the negative number."""
    return Subscription(-application_id, application_id, ("feed",))


class _Audience:
    """The streams of an application that ask for one kind of events."""

    def __init__(self) -> None:
        self.everything: dict[str, list[int]] = defaultdict(list)
        """By the name that was asked for, the streams without a filter."""
        self.filters: dict[int, Filter] = {}
        self.filtered: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self.index: FilterIndex | None = None

    def add(self, name: str, subscription: Subscription) -> None:
        if subscription.filter is None:
            self.everything[name].append(subscription.number)
        else:
            self.filters[subscription.filter_id] = subscription.filter
            self.filtered[subscription.filter_id].append((subscription.number, name))


class Routes:
    """From an event to the streams that it is for."""

    def __init__(self, subscriptions: Iterable[Subscription]) -> None:
        self._audiences: dict[tuple[int, str], _Audience] = defaultdict(_Audience)
        for one in subscriptions:
            for kind, name in names_by_kind(one.object_types).items():
                self._audiences[one.application_id, kind].add(name, one)
        for (_, kind), audience in self._audiences.items():
            if audience.filters:
                audience.index = FilterIndex(kind, audience.filters)

    def of(self, logged: Logged) -> Iterator[tuple[int, Frame]]:
        """The numbers of the streams, and what each of them gets; equal frames are one object."""
        audience = self._audiences.get((logged.application, logged.kind))
        if audience is None:
            return
        made: dict[str, Frame] = {}
        for name, numbers in audience.everything.items():
            frame = made[name] = frames.event(logged, name)
            for number in numbers:
                yield number, frame
        if audience.index is None:
            return
        for passed in audience.index.passed(frames.envelope(logged)):
            for number, name in audience.filtered[passed]:
                frame = made.get(name) or made.setdefault(name, frames.event(logged, name))
                yield number, frame

"""What a home of the feeds in the same process can tell and the API cannot: its feeds, and its record."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple, Protocol, runtime_checkable


class Fault(NamedTuple):
    """Something that the home derives from its record, and that does not agree with it."""

    place: str
    what: str


class Inspection(Protocol):
    """Looks behind the API of one application."""

    def feeds(self, slugs: Collection[str]) -> Iterator[str]:
        """The ids of all feeds of these groups."""

    def ways(self, feed_id: str, activity_id: str) -> Iterator[str]:
        """By what an activity is on a feed, or is kept off it, in words."""

    def faults(self, *, mend: bool) -> Iterator[Fault]:
        """Where timelines, groups and counters disagree with the record; with `mend`, they do no longer."""


@runtime_checkable
class Inspected(Protocol):
    """A transport behind which the home can be inspected."""

    def inspection(self, api_key: str) -> Inspection:
        """Of the application that the key belongs to."""

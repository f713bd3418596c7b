"""What a home of the feeds in the same process can tell and the API cannot: its feeds, and its record."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import IO, Any, NamedTuple, Protocol, runtime_checkable

from django_stream.protocol.persons import Held, Mention, Person


class Fault(NamedTuple):
    """Something that the home derives from its record, and that does not agree with it."""

    place: str
    what: str


class Inspection(Protocol):
    """Looks behind the API of one application."""

    def feeds(self, slugs: Collection[str]) -> Iterator[str]:
        """The ids of all feeds of these groups."""

    def placed(self, feed_ids: Collection[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The activities that were put on these feeds, grouped ones too: (feed, as the API tells it)."""

    def users(self) -> Iterator[Mapping[str, Any]]:
        """All users in order, as the API tells them."""

    def entries(self, collections: Collection[str]) -> Iterator[Mapping[str, Any]]:
        """All entries of these collections in order, as the API tells them, with their `user_id`."""

    def reactions(self, kinds: Collection[str]) -> Iterator[Mapping[str, Any]]:
        """All reactions of these kinds to activities in order: id, kind, activity_id, user_id and data."""

    def follows(self, slugs: Collection[str]) -> Iterator[tuple[str, str]]:
        """Who follows whom, by feeds of these groups: (feed, the feed that it follows)."""

    def ways(self, feed_id: str, activity_id: str) -> Iterator[str]:
        """By what an activity is on a feed, or is kept off it, in words."""

    def faults(self, *, mend: bool) -> Iterator[Fault]:
        """Where timelines, groups and counters disagree with the record; with `mend`, they do no longer."""

    def idle_jobs(self, seconds: float) -> int:
        """Large fan-outs and trees of reactions that nothing has touched for so long: nobody runs them."""

    def undeleted_files(self) -> tuple[int, float]:
        """Deleted files of all applications whose bytes are in the storage, and the oldest's seconds."""

    def queues(self) -> Collection[str]:
        """Queues of Celery that its work goes to by settings of its own."""

    def orphans(self, *, every: bool) -> int:
        """How many feeds list activities that do not exist, among the newest feeds or among all."""

    def slow_statements(self) -> Iterator[str]:
        """Main statements that no index serves, and indexes that are missing, in words."""

    def held(self, person: Person) -> Iterator[Held]:
        """What is stored of a person and not listed by the API."""

    def opened(self, path: str) -> IO[bytes]:
        """The content of a stored file."""

    def erase(self, person: Person, *, keep_audit_log: bool) -> Iterator[tuple[str, int]]:
        """Erase a person, step by step: what of them was erased, and how much."""

    def mentions(self, person: Person) -> Iterator[Mention]:
        """Where they are still named, in all that is stored."""


@runtime_checkable
class Inspected(Protocol):
    """A transport behind which the home can be inspected."""

    def inspection(self, api_key: str) -> Inspection:
        """Of the application that the key belongs to."""

"""Whether what the server derives agrees with its record: timelines, groups and counters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, Count
from django.db.models.functions import Cast

from django_stream.database.batches import batched
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.protocol.activity_ids import sort_key
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.inspection import Fault
from django_stream.protocol.persons import Held, Mention, Person
from django_stream.server import activity_rows, background
from django_stream.server.actions import persons as actions
from django_stream.server.conf import server_settings
from django_stream.server.feed_store import database, find
from django_stream.server.files import deletions
from django_stream.server.files.urls import storage
from django_stream.server.maintenance import lock_writers, rebuild
from django_stream.server.models import (
    ChildCount,
    FanoutJob,
    Feed,
    Follow,
    Placement,
    Reaction,
    ReactionCount,
)
from django_stream.server.models.reactions import LISTED_BY_KIND, TOP_LEVEL
from django_stream.server.reads import persons as reads
from django_stream.server.reads import serializers, whole_tables
from django_stream.server.reads.plans import slow_statements
from django_stream.server.timelines import timelines
from django_stream.server.timelines.orphans import feeds_with_orphans

_CHUNK = 500
_NEWEST = 1000
_Counter = tuple[Any, str]


@dataclass(frozen=True, slots=True)
class ServerInspection:
    """Of one application. Every look takes the locks of a writer, for as long as one feed takes."""

    application_id: int

    def feeds(self, slugs: Collection[str]) -> Iterator[str]:
        """The ids of all feeds of these groups."""
        for feed in self._feeds():
            if feed.slug in slugs:
                yield str(feed.feed_id)

    def placed(self, feed_ids: Collection[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The activities that were put on these feeds, grouped ones too: (feed, as the API tells it)."""
        feeds = find(self.application_id, [FeedID.parse(one) for one in feed_ids])
        names = {feed.pk: str(name) for name, feed in feeds.items()}
        rows = Placement.objects.using(database()).filter(feed__in=list(names)).order_by("feed", "key")
        # Keys as text: of a million rows, an object for each is a tenth of the work.
        placements = rows.values_list("feed_id", Cast("key", CharField()))
        for some in batched(placements.iterator(chunk_size=_CHUNK), _CHUNK):
            rows_found = activity_rows.with_keys(self.application_id, {key for _, key in some})
            activities = {row.hex: row for row in rows_found}
            for feed, key in some:
                if row := activities.get(key.replace("-", "")):
                    yield names[feed], serializers.activity(row)

    def users(self) -> Iterator[Mapping[str, Any]]:
        """All users in order, as the API tells them."""
        return whole_tables.all_users(self.application_id)

    def entries(self, collections: Collection[str]) -> Iterator[Mapping[str, Any]]:
        """All entries of these collections in order, as the API tells them, with their `user_id`."""
        return whole_tables.all_entries(self.application_id, collections)

    def reactions(self, kinds: Collection[str]) -> Iterator[Mapping[str, Any]]:
        """All reactions of these kinds to activities in order: id, kind, activity_id, user_id and data."""
        return whole_tables.all_reactions(self.application_id, kinds)

    def follows(self, slugs: Collection[str]) -> Iterator[tuple[str, str]]:
        """Who follows whom, by feeds of these groups: (feed, the feed that it follows)."""
        return whole_tables.all_follows(self.application_id, slugs)

    def ways(self, feed_id: str, activity_id: str) -> Iterator[str]:
        """By what an activity is on a feed, or is kept off it, in words."""
        name, key = FeedID.parse(feed_id), sort_key(UUID(activity_id))
        feed = find(self.application_id, [name]).get(name)
        if feed is None:
            return
        for via in timelines().origins(feed.pk, key):
            if via < 0:
                yield "it was taken off this feed alone"
            elif via == 0:
                yield "it was put on this feed itself"
            else:
                followed = Feed.objects.using(database()).get(pk=via)
                yield f"{followed.feed_id} brought it, which this feed follows"

    def faults(self, *, mend: bool) -> Iterator[Fault]:
        """Where timelines, groups and counters do not agree with the record."""
        for feed in self._feeds():
            if not _agrees(feed, mend=mend):
                yield Fault(str(feed.feed_id), "the timeline is not what placements and follows make of it")
        yield from self._counters(mend=mend)

    def idle_jobs(self, seconds: float) -> int:
        """Jobs of all applications that nothing has touched for so long."""
        return background.idle_jobs(seconds)

    def undeleted_files(self) -> tuple[int, float]:
        """Deleted files of all applications whose bytes are in the storage, and the oldest's seconds."""
        return deletions.waiting()

    def queues(self) -> Collection[str]:
        """Queues of Celery that its work goes to by settings of its own."""
        return [server_settings.FANOUT_QUEUE] if server_settings.FANOUT_QUEUE else []

    def orphans(self, *, every: bool) -> int:
        """How many feeds list activities that do not exist, among the newest feeds or among all."""
        numbers = Feed.objects.using(database()).order_by("-pk").values_list("pk", flat=True)
        last = None if every else next(iter(numbers[_NEWEST : _NEWEST + 1]), None)
        return sum(1 for _ in feeds_with_orphans(after=last or 0))

    def slow_statements(self) -> Iterator[str]:
        """Main statements that no index serves, and indexes that are missing, in words."""
        return slow_statements(self.application_id)

    def held(self, person: Person) -> Iterator[Held]:
        """What is stored of a person and not listed by the API."""
        return reads.held(self.application_id, person)

    def opened(self, path: str) -> IO[bytes]:
        """The content of a stored file."""
        return storage().open(path)

    def erase(self, person: Person, *, keep_audit_log: bool) -> Iterator[tuple[str, int]]:
        """Erase a person, step by step: what of them was erased, and how much."""
        return actions.erase(self.application_id, person, keep_audit_log=keep_audit_log)

    def mentions(self, person: Person) -> Iterator[Mention]:
        """Where they are still named, in all that is stored."""
        return reads.mentions(person)

    def _feeds(self) -> Iterator[Feed]:
        rows = Feed.objects.using(database()).filter(application=self.application_id).order_by("pk")
        last = 0
        while feeds := list(rows.filter(pk__gt=last)[:_CHUNK]):
            last = feeds[-1].pk
            yield from feeds

    def _counters(self, *, mend: bool) -> Iterator[Fault]:
        reactions = Reaction.objects.using(database()).filter(
            application_id=self.application_id, deleted_at=None
        )
        own = {"application_id": self.application_id}
        for counters in (
            _Counters(
                ReactionCount, "activity", "activity", reactions.filter(TOP_LEVEL, LISTED_BY_KIND), own
            ),
            _Counters(ChildCount, "parent_id", "reaction", reactions.exclude(parent=None), {}),
        ):
            yield from counters.faults(self.application_id, mend=mend)


@dataclass(frozen=True, slots=True)
class _Counters:
    """One table of counters, and the reactions that it counts."""

    model: Any
    column: str
    """Whose reactions are counted, in both tables."""
    word: str
    reactions: Any
    own: dict[str, Any]
    """What the key of a counter has besides."""

    def faults(self, application_id: int, *, mend: bool) -> Iterator[Fault]:
        """Counters that are wrong."""
        of_application = "parent__application_id" if self.model is ChildCount else "application_id"
        stored = self.model.objects.using(database()).filter(**{of_application: application_id})
        for (whose, kind), counted, noted in _side_by_side(self._counted(), self._noted(stored)):
            # Both were read while others wrote: what differs is looked at again under the counter's lock.
            if counted != noted and (told := self._compared(whose, kind, mend=mend)):
                yield Fault(f"{self.word} {whose}", told)

    def _counted(self) -> Iterator[tuple[_Counter, int]]:
        rows = self.reactions.values(self.column, "kind").annotate(number=Count("pk"))
        for row in rows.order_by(self.column, "kind").iterator(chunk_size=_CHUNK):
            yield (row[self.column], row["kind"]), row["number"]

    def _noted(self, stored: Any) -> Iterator[tuple[_Counter, int]]:
        rows = stored.exclude(count=0).order_by(self.column, "kind")
        for whose, kind, count in rows.values_list(self.column, "kind", "count").iterator(chunk_size=_CHUNK):
            yield (whose, kind), count

    @retry_on_deadlock
    def _compared(self, whose: Any, kind: str, *, mend: bool) -> str:
        """In what a counter is wrong; empty when it is right. Every writer of it takes its lock."""
        which = {**self.own, self.column: whose, "kind": kind}
        counters = self.model.objects.using(database()).filter(**which)
        reactions = self.reactions.filter(**{self.column: whose, "kind": kind})
        with transaction.atomic(using=database()):
            if mend and reactions.exists():
                self.model.objects.using(database()).bulk_create(
                    [self.model(**which, count=0)], ignore_conflicts=True
                )
            noted = sum(counters.select_for_update().values_list("count", flat=True))
            counted = reactions.count()
            if counted == noted:
                return ""
            if mend:
                counters.update(count=counted)
        return f"{noted} reactions of kind {kind!r} are noted, {counted} there"


@retry_on_deadlock
def _agrees(feed: Feed, *, mend: bool) -> bool:
    """Compute the timeline anew and compare; what was computed stays only if it is to be mended."""
    with transaction.atomic(using=database()):
        lock_writers(feed)
        followed = _followed(feed)
        if FanoutJob.objects.using(database()).filter(feed__in=[feed.pk, *followed]).exists():
            return True  # what is on its way is no fault
        timelines().settle(feed.pk)
        before = timelines().snapshot(feed.pk)
        rebuild(feed)
        # Who follows takes no lock of the feed that follows.
        agrees = timelines().snapshot(feed.pk) == before or _followed(feed) != followed
        transaction.set_rollback(agrees or not mend, using=database())
    return agrees


def _followed(feed: Feed) -> list[int]:
    rows = Follow.objects.using(database()).filter(source=feed).order_by("pk")
    return list(rows.values_list("target_id", flat=True))


def _side_by_side(
    ours: Iterator[tuple[_Counter, int]], theirs: Iterator[tuple[_Counter, int]]
) -> Iterator[tuple[_Counter, int, int]]:
    """Two ordered streams by key, with 0 for what one of them lacks."""
    one, other = next(ours, None), next(theirs, None)
    while one or other:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield *one, 0
            one = next(ours, None)
        elif one is None or other[0] < one[0]:
            yield other[0], 0, other[1]
            other = next(theirs, None)
        else:
            yield *one, other[1]
            one, other = next(ours, None), next(theirs, None)

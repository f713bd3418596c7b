"""Changes of the record on their way to the cluster.

Each is written with what it tells of, and told after the commit: first a number is drawn, then the record is
read, then the timelines are told with that number, and at last the change is deleted. Until then those whom
it concerns read the record, so it does not matter who tells it, how often, or where they are killed.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from django.db.models import Max

from django_stream.database.batches import batched
from django_stream.database.commits import call_after_commit
from django_stream.server.conf import server_settings
from django_stream.server.feed_store import database
from django_stream.server.models import TimelineChange, TimelineDraw
from django_stream.server.timelines.clustered import record, scripts
from django_stream.server.timelines.clustered.cluster import Argument, Call, Cluster, Unavailable
from django_stream.server.timelines.clustered.members import activity

logger = logging.getLogger("django_stream.server")

Change = TimelineChange.Change
EVERYBODY = 2**63 - 1
"""Above the ids of all follows."""
_AT_ONCE = 500
_DRAWS_KEPT = 1000


def drawn() -> int:
    """The last number that was drawn."""
    return TimelineDraw.objects.using(database()).aggregate(last=Max("id"))["last"] or 0


def note(cluster: Cluster, changes: Iterable[TimelineChange]) -> None:
    """Write changes within the transaction that makes them, and tell them when it has committed."""
    written = TimelineChange.objects.using(database()).bulk_create(list(changes))
    if written:
        call_after_commit(database(), tell, cluster, [change.pk for change in written])


def tell(cluster: Cluster, numbers: Collection[int]) -> None:
    """Tell the cluster of these changes; those that it does not hear of stay.

    Once it hears again, whoever told it last tells of what they left.
    """
    if _hears(cluster, numbers) and cluster.has_missed():
        tell_all(cluster)


def tell_all(cluster: Cluster) -> None:
    """Tell the cluster of whatever it has not heard, and forget old draws."""
    last = 0
    changes = TimelineChange.objects.using(database()).order_by("pk").values_list("pk", flat=True)
    while numbers := list(changes.filter(pk__gt=last)[:_AT_ONCE]):
        last = numbers[-1]
        if not _hears(cluster, numbers):
            break
    TimelineDraw.objects.using(database()).filter(pk__lt=drawn() - _DRAWS_KEPT).delete()


def _hears(cluster: Cluster, numbers: Collection[int]) -> bool:
    """Tell of changes, and delete those that were heard; whether all were."""
    for some in batched(sorted(numbers), _AT_ONCE):
        changes = list(TimelineChange.objects.using(database()).filter(pk__in=some))
        try:
            _tell(cluster, changes)
        except Unavailable as error:
            cluster.misses()
            logger.warning("the timelines do not answer, and their readers read the record: %s", error)
            return False
        TimelineChange.objects.using(database()).filter(pk__in=some).delete()
    return True


def _tell(cluster: Cluster, changes: Collection[TimelineChange]) -> None:
    if not changes:
        return
    number = TimelineDraw.objects.using(database()).create().pk
    alike: dict[tuple[str, bool, int, int, tuple[str, ...]], set[int]] = defaultdict(set)
    for one in changes:
        alike[one.change, one.is_own, one.after, one.up_to, tuple(one.keys)].add(one.feed)
    for (change, is_own, after, up_to, texts), feeds in alike.items():
        keys = [uuid.UUID(text) for text in texts]
        if change == Change.DROPPED:
            cluster.run_all(scripts.DROP, [(key_of(feed), ()) for feed in feeds])
        elif change == Change.WITHDRAWN:
            told = _withdrawn(number, feeds if is_own else set(), feeds, keys, after, up_to)
            cluster.run_all(scripts.REMOVE, told)
        else:
            own = feeds if is_own else set()
            cluster.run_all(scripts.ADD, _placed(number, own, feeds, keys, after, up_to))


def _placed(
    number: int,
    own: Collection[int],
    feeds: Collection[int],
    keys: Collection[uuid.UUID],
    after: int,
    up_to: int,
) -> Iterator[Call]:
    members: dict[int, list[Argument]] = defaultdict(lambda: [number])
    for feed, entry in record.placed(own, keys) if own else ():
        members[feed].append(entry.packed)
    for feed, entry in record.forwarded(feeds, keys, after, up_to) if up_to else ():
        members[feed].append(entry.packed)
    return ((key_of(feed), arguments) for feed, arguments in members.items())


def _withdrawn(
    number: int,
    own: Collection[int],
    feeds: Collection[int],
    keys: Collection[uuid.UUID],
    after: int,
    up_to: int,
) -> Iterator[Call]:
    sources = {*own, *(record.followers(feeds, after, up_to) if up_to else ())}
    remaining = record.remaining(sources, keys)
    for feed in sources:
        arguments: list[Argument] = [number]
        for key in keys:
            stays = remaining.get((feed, key))
            arguments += activity(key), stays.packed if stays else b""
        yield key_of(feed), arguments


def key_of(feed: int) -> str:
    """The key of a feed's timeline, by the number of its row."""
    return f"{server_settings.TIMELINES_PREFIX}:{feed}"

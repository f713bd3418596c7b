"""A person is erased: step by step, each of which finds what is left of it, however often it is begun."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator

from django.db import transaction

from django_stream.database.batches import batched
from django_stream.database.bulk_sql import among
from django_stream.database.searching import rows_with
from django_stream.protocol import limits
from django_stream.protocol.feed_ids import FeedID
from django_stream.protocol.persons import Person
from django_stream.server.actions import collections, files, privacy, reactions, removals, targets, users
from django_stream.server.actions.follows import Unfollowing, unfollow_many
from django_stream.server.actions.targets import Retargeting
from django_stream.server.content import encoded
from django_stream.server.feed_store import database, lock
from django_stream.server.files import deletions
from django_stream.server.models import (
    Activity,
    ActivityGroup,
    AuditLog,
    CollectionEntry,
    DeadLetter,
    Exclusion,
    FanoutJob,
    Feed,
    ModerationFlag,
    Placement,
    Reaction,
    ReactionJob,
    RemovalJob,
    StoredFile,
    StreamEvent,
)
from django_stream.server.reads import persons
from django_stream.server.timelines import timelines

_BATCH = limits.ACTIVITIES_PER_REQUEST
_NOTICES = frozenset({"activity", "reaction", "file"})
"""Kinds whose ids tell nothing of a person: that they were deleted stays in the log for its readers."""


def erase(application_id: int, person: Person, *, keep_audit_log: bool = False) -> Iterator[tuple[str, int]]:
    """Erase a person: what was erased, and how much. Killed, it goes on when it is begun again.

    What steps write about what they do is erased by the last ones.
    """
    steps: tuple[tuple[str, Callable[[int, Person], int]], ...] = (
        ("activities", _activities),
        ("recipients of others' activities", _recipients),
        ("reactions", _reactions),
        ("recipients of others' reactions", _recipients_of_reactions),
        ("follows", _follows),
        ("users", lambda one, who: users.delete(one, who.user_ids)),
        ("collection entries", _collections),
        ("files", _files),
        ("moderation", _moderation),
        ("groups of activities", _groups),
        ("feeds", _feeds),
        ("events of streams", _events),
        ("letters of webhooks", _letters),
    )
    for name, step in steps:
        yield name, step(application_id, person)
    if not keep_audit_log:
        yield "audit log", persons.audited(application_id, person).delete()[0]


def _activities(application_id: int, person: Person) -> int:
    wanted = persons.done_by(person) | persons.about(person)
    found = (
        persons.rows(Activity, application_id).filter(wanted).order_by("key").values_list("key", flat=True)
    )
    count = 0
    # What was erased is empty, or gone, and is found no more.
    while keys := list(found[:_BATCH]):
        placed: dict[uuid.UUID, list[FeedID]] = {key: [] for key in keys}
        rows = Placement.objects.using(database()).of_application(application_id).filter(key__in=keys)
        for row in rows.select_related("feed"):
            placed[row.key].append(row.feed.feed_id)
        privacy.erase(application_id, placed)
        count += len(keys)
    return count


def _recipients(application_id: int, person: Person) -> int:
    """What others have put on their feeds goes from there, and from the `to` lists."""
    feeds = _names_of_feeds(application_id, person)
    told = [row["pk"][1] for row in rows_with(Activity, feeds, database()) if row["pk"][0] == application_id]
    count = 0
    for keys in batched(told, _BATCH):
        count += _unaddress(application_id, feeds, keys)
    for feed in persons.feeds_of(application_id, person):
        placed = Placement.objects.using(database()).filter(feed=feed).order_by("key")
        while keys := list(placed.values_list("key", flat=True)[:_BATCH]):
            removals.remove(application_id, feed.feed_id, keys)
            placed.filter(key__in=keys).delete()  # of activities that do not exist
            count += len(keys)
    return count


def _unaddress(application_id: int, feeds: list[str], keys: list[uuid.UUID]) -> int:
    """Take their feeds off the `to` lists of activities, by one of the feeds that these were posted to."""
    activities = {row.key: row for row in persons.rows(Activity, application_id).filter(key__in=keys)}
    wanted = {key for key, row in activities.items() if not set(feeds).isdisjoint(row.to)}
    placed = Placement.objects.using(database()).of_application(application_id)
    posted = placed.filter(key__in=wanted, targeted=False).select_related("feed")
    homes = {row.key: row.feed.feed_id for row in posted}
    for home in sorted(set(homes.values())):
        mine = [Retargeting(key, removed=feeds) for key in sorted(wanted) if homes.get(key) == home]
        targets.retarget(application_id, home, mine)
    for key in wanted - homes.keys():
        left = [name for name in activities[key].to if name not in feeds]
        persons.rows(Activity, application_id).filter(key=key).update(to=left)
    return len(wanted)


def _names_of_feeds(application_id: int, person: Person) -> list[str]:
    return sorted({str(one) for one in persons.feeds_of(application_id, person)} | person.feeds)


def _reactions(application_id: int, person: Person) -> int:
    found = persons.reactions_of(application_id, person).order_by("-pk")
    count = 0
    while ids := list(found.values_list("reaction_id", flat=True)[:_BATCH]):
        reactions.delete_many(application_id, ids)
        count += len(ids)
    for jobs in (ReactionJob, RemovalJob):
        jobs._default_manager.using(database()).filter(caller__in=person.user_ids).update(caller="")
    return count


def _recipients_of_reactions(application_id: int, person: Person) -> int:
    feeds, count = _names_of_feeds(application_id, person), 0
    for number in [row["pk"] for row in rows_with(Reaction, feeds, database())]:
        with transaction.atomic(using=database()):
            found = persons.rows(Reaction, application_id).filter(pk=number).select_for_update().first()
            if found is not None and not set(feeds).isdisjoint(found.target_feeds):
                found.target_feeds = [one for one in found.target_feeds if one not in feeds]
                found.save(using=database(), update_fields=["target_feeds"])
                count += 1
    return count


def _follows(application_id: int, person: Person) -> int:
    feeds, count = persons.feeds_of(application_id, person), 0
    while found := list(persons.follows(feeds).order_by("pk")[:_BATCH]):
        ends = {(one.source.feed_id, one.target.feed_id) for one in found}
        unfollow_many(application_id, [Unfollowing(source, target) for source, target in sorted(ends)])
        count += len(ends)
    return count


def _collections(application_id: int, person: Person) -> int:
    found = persons.rows(CollectionEntry, application_id).filter(user_id__in=person.user_ids)
    count = 0
    for name in sorted(set(found.values_list("collection", flat=True))):
        mine = found.filter(collection=name).order_by("entry_id")
        while ids := list(mine.values_list("entry_id", flat=True)[:_BATCH]):
            with transaction.atomic(using=database()):
                count += collections.delete(application_id, name, ids)
                _forget(application_id, "collection", [f"{name}:{one}" for one in ids])
    return count


def _files(application_id: int, person: Person) -> int:
    """Their files; bytes that the storage does not delete are found afterwards, and told."""
    found = persons.rows(StoredFile, application_id).filter(user_id__in=person.user_ids)
    count = 0
    while file := found.order_by("pk").first():
        with transaction.atomic(using=database()):
            # A storage that is away is waited for once, and not for each of them.
            files.delete(file, bytes_now=False)
            _forget(application_id, "file", [file.public_id])
        count += 1
    deletions.delete_of(application_id, person.user_ids)
    return count


def _forget(application_id: int, kind: str, object_ids: list[str]) -> None:
    """Take the content of what is deleted out of both logs: afterwards nobody knows whose it was."""
    events = StreamEvent.objects.using(database()).filter(
        among("object_id", object_ids, database()), application=application_id, kind=kind
    )
    events.filter(is_deleted=False).delete()
    events.update(data="{}")
    audited = persons.rows(AuditLog, application_id).filter(among("entity_id", object_ids, database()))
    audited.filter(entity_type=kind).update(custom={})


def _moderation(application_id: int, person: Person) -> int:
    flags = persons.rows(ModerationFlag, application_id)
    count = flags.filter(user_id__in=person.user_ids).delete()[0]
    count += flags.filter(entity_type="stream:user", entity_id__in=person.user_ids).delete()[0]
    decided = persons.moderated(application_id, person)
    # A decision about somebody else stands, whoever made it.
    count += decided.exclude(entity_type="stream:user", entity_id__in=person.user_ids).update(moderator_id="")
    return count + decided.filter(entity_type="stream:user", entity_id__in=person.user_ids).delete()[0]


def _groups(application_id: int, person: Person) -> int:
    """Names of groups contain actors: those that lost their activities go."""
    found = rows_with(ActivityGroup, sorted(person.references), database())
    numbers = [row["pk"] for row in found if person.is_surely_named_in(row["name"])]
    feeds = ActivityGroup.objects.using(database()).filter(among("pk", numbers, database())).values("feed")
    mine = list(persons.rows(Feed, application_id).filter(pk__in=feeds).values_list("pk", flat=True))
    for number in mine:
        timelines().settle(number)
    return len(mine)


def _feeds(application_id: int, person: Person) -> int:
    """Their empty feeds. Who writes to one at this moment holds its lock, and it is erased the next time."""
    count = 0
    for feed in persons.feeds_of(application_id, person):
        with transaction.atomic(using=database()):
            lock([feed])
            Exclusion.objects.using(database()).filter(feed=feed).delete()
            FanoutJob.objects.using(database()).filter(feed=feed.pk).delete()
            RemovalJob.objects.using(database()).filter(feed=feed.pk).delete()
            is_empty = not persons.follows([feed]).exists()
            if is_empty and not Placement.objects.using(database()).filter(feed=feed).exists():
                timelines().forget(feed.pk)
                Feed.objects.using(database()).filter(pk=feed.pk).delete()
                count += 1
    return count


def _events(application_id: int, person: Person) -> int:
    """What the log tells of them goes; that something is deleted stays, where its id says nothing."""
    looked_for = [*person.sure_needles, *(f'"{one}"' for one in person.user_ids)]
    found = [
        (row["pk"], row["object_id"])
        for row in rows_with(StreamEvent, looked_for, database())
        if (row["kind"] == "user" and row["object_id"] in person.user_ids)
        or person.is_surely_named_in(f"{row['object_id']} {row['data']}")
        or person.is_in(json.loads(row["data"]))
    ]
    for number, object_id in found:
        event = StreamEvent.objects.using(database()).filter(pk=number, application=application_id)
        notice = encoded({"id": object_id}).decode()
        if not event.filter(is_deleted=True, kind__in=_NOTICES).update(data=notice):
            event.delete()
    return len(found)


def _letters(application_id: int, person: Person) -> int:
    letters = DeadLetter.objects.using(database()).filter(webhook__stream__application=application_id)
    found = rows_with(DeadLetter, person.sure_needles, database())
    numbers = [row["pk"] for row in found if person.is_surely_named_in(row["body"])]
    return letters.filter(among("pk", numbers, database())).delete()[0]

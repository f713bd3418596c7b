"""What is stored of one person, and where they are named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q

from django_stream.database.searching import columns_with_text, rows_with
from django_stream.protocol.persons import Held, Mention, Person
from django_stream.server.feed_store import database
from django_stream.server.models import (
    Activity,
    AuditLog,
    CollectionEntry,
    Feed,
    FileDeletion,
    Follow,
    ModerationFlag,
    ModerationStatus,
    Reaction,
    StoredFile,
)
from django_stream.server.models.reactions import LISTED
from django_stream.server.reads import serializers

_NOT_TOLD = frozenset({"application", "application_id", "key", "group_names", "name"})
_OF_FEEDS = ("feed", "notification")
"""Types of events whose id is that of a feed."""
_IDS = frozenset({"user_id", "created_by", "moderator_id", "caller"})


def rows(model: type[models.Model], application_id: int) -> models.QuerySet[Any]:
    """All rows of an application."""
    return model._default_manager.using(database()).filter(application_id=application_id)


def done_by(person: Person) -> Q:
    """Activities that they did, or that were posted with their token."""
    return Q(actor__in=person.names) | Q(created_by__in=person.user_ids)


def about(person: Person) -> Q:
    """Activities of others that name them."""
    return Q(object__in=person.references) | Q(target__in=person.references)


def feeds_of(application_id: int, person: Person) -> list[Feed]:
    """Feeds with their key that are theirs: `topic:1` has nothing to do with the user 1."""
    found = rows(Feed, application_id).filter(user_id__in=person.user_ids).order_by("pk")
    return [feed for feed in found if str(feed) in person.feeds]


def held(application_id: int, person: Person) -> Iterator[Held]:
    """Everything of a person that the API does not list by itself."""
    for section, found in (
        ("activities about them", rows(Activity, application_id).filter(about(person))),
        ("collection entries", _of_user(CollectionEntry, application_id, person)),
        ("reports to moderators", _of_user(ModerationFlag, application_id, person)),
        ("decisions of moderators", moderated(application_id, person)),
        ("audit log", audited(application_id, person)),
    ):
        for row in found.order_by("pk").iterator(chunk_size=500):
            yield Held(section, _told(row))
    feeds = feeds_of(application_id, person)
    for section, side in (("following", "source"), ("followers", "target")):
        open_ones = follows(feeds).filter(**{f"{side}__in": feeds}, until_seq=None).order_by("pk")
        for follow in open_ones.iterator(chunk_size=500):
            yield Held(section, dict(serializers.follow(follow)))
    for file in _of_user(StoredFile, application_id, person).order_by("pk").iterator(chunk_size=500):
        yield Held("files", {**_told(file), "name": file.base_name}, file.name)
    for gone in _of_user(FileDeletion, application_id, person).order_by("pk").iterator(chunk_size=500):
        yield Held("deleted files", {**_told(gone), "name": gone.base_name})
    hidden = reactions_of(application_id, person).exclude(deleted_at=None).order_by("pk")
    for reaction in hidden.iterator(chunk_size=500):
        yield Held("deleted reactions", _told(reaction))


def reactions_of(application_id: int, person: Person) -> models.QuerySet[Reaction]:
    """All reactions of a person, softly deleted ones too."""
    return _of_user(Reaction, application_id, person).filter(LISTED)


def moderated(application_id: int, person: Person) -> models.QuerySet[ModerationStatus]:
    return rows(ModerationStatus, application_id).filter(
        Q(moderator_id__in=person.user_ids) | Q(entity_type="stream:user", entity_id__in=person.user_ids)
    )


def audited(application_id: int, person: Person) -> models.QuerySet[AuditLog]:
    """What they did, and what was done to their user and feeds. For the latter the table is read once."""
    feeds = {str(feed) for feed in feeds_of(application_id, person)} | person.feeds
    named = Q(user_id__in=person.names)
    # An id alone says little: a reaction or a file may have that of a user.
    named |= Q(entity_type="user", entity_id__in=person.user_ids)
    named |= Q(entity_type__in=_OF_FEEDS, entity_id__in=feeds)
    for feed in feeds:
        named |= Q(entity_type="feed", custom__target=feed)
    return rows(AuditLog, application_id).filter(named)


def follows(feeds: list[Feed]) -> models.QuerySet[Follow]:
    """Open and closed ones, from these feeds and to them."""
    found = Follow.objects.using(database())
    return found.filter(Q(source__in=feeds) | Q(target__in=feeds)).select_related("source", "target")


def mentions(person: Person) -> Iterator[Mention]:
    """Everywhere in the server's tables where they are still named; each table is read once."""
    for model in apps.get_app_config("django_stream_server").get_models():
        known: set[str] = set()
        exact = sorted(_IDS.intersection(columns_with_text(model)))
        for row in rows_with(model, person.needles, database()):
            for column, text in row.items():
                if column != "pk" and text and person.is_named_in(str(text)):
                    doubt = person.doubt_of(str(text))
                    if not doubt:
                        known.add(str(row["pk"]))
                    yield Mention(model._meta.db_table, column, str(row["pk"]), doubt)
        for column in exact:
            ids = model._base_manager.using(database()).filter(**{f"{column}__in": person.user_ids})
            for found in ids.iterator(chunk_size=500):
                if str(found.pk) not in known:
                    of_others = isinstance(found, Feed) and str(found) not in person.feeds
                    yield Mention(model._meta.db_table, column, str(found.pk), "feed" if of_others else "")


def _of_user(model: type[models.Model], application_id: int, person: Person) -> models.QuerySet[Any]:
    return rows(model, application_id).filter(user_id__in=person.user_ids)


def _told(row: models.Model) -> dict[str, Any]:
    fields = {
        field.name: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.name not in _NOT_TOLD
    }
    if isinstance(row, Activity):
        fields = {"id": str(row.activity_id), "time": row.time, **fields}
    told: dict[str, Any] = json.loads(json.dumps(fields, cls=DjangoJSONEncoder))
    return told

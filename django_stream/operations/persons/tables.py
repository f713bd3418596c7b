"""What our own tables in the site's database have of a person."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import ForeignObjectRel, Q
from django.utils import timezone

from django_stream.activities.ids import from_wire_id
from django_stream.activities.model_references import clean_pk, concrete
from django_stream.activities.paths import Source, related_model
from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.activities.publishers.mirrors import CollectionPublisher, UserPublisher
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.activities.recorded import RecordedActivity
from django_stream.activities.representation import DEFAULT_ACTOR
from django_stream.backends import get_client
from django_stream.client.encoding import plain
from django_stream.database.batches import batched
from django_stream.database.bulk_sql import among
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.database.querysets import all_rows
from django_stream.database.searching import rows_with
from django_stream.database.tables import has_table
from django_stream.protocol import limits
from django_stream.protocol.persons import Held, Mention, Person
from django_stream.publishing.models import Checkpoint, OutboxEntry, Publication
from django_stream.publishing.nudge import nudges_held
from django_stream.publishing.objects import publish_objects
from django_stream.publishing.publisher import Record, publishers, publishers_of

_TABLES: tuple[type[models.Model], ...] = (RecordedActivity, OutboxEntry, Publication, Checkpoint)


def held(person: Person, using: str) -> Iterator[Held]:
    """Recorded activities, and what the ledger and the outbox say of what they did."""
    for recorded in _recorded(person, using).order_by("pk").iterator(chunk_size=500):
        yield Held("recorded activities", _told(recorded))
    for number in ledger_rows(person, using):
        row = Publication.objects.using(using).filter(pk=number).first()
        if row is not None and any(_is_theirs(one, row.model_label, person) for one in row.records):
            yield Held("published", {"model": row.model_label, "key": row.object_key, "records": row.records})
    for model, own in _related(person, using):
        if _is_ours(model):
            for one in own.order_by("pk").iterator(chunk_size=500):
                yield Held(str(model._meta.verbose_name_plural), _told(one))
    for publisher, rows in mirrored(person, using):
        name = publisher.declaration.name
        answer = get_client().collections.select(name, [publisher.entry_id(row) for row in rows])
        for entry in answer["response"]["data"]:
            yield Held("mirrored rows", {"collection": name, **plain(entry)})


def erase_recorded(person: Person, using: str, token: uuid.UUID) -> int:
    """Activities without a row of the site's: deleted, and taken out of the feeds like any other."""
    label = RecordedActivity._meta.label
    count = 0
    while rows := list(_recorded(person, using).order_by("pk")[:100]):
        keys = [str(row.pk) for row in rows]
        with nudges_held():
            RecordedActivity.objects.using(using).filter(pk__in=keys).delete()
        _publish(label, keys, using, token)
        count += len(keys)
    addressed = rows_with(RecordedActivity, sorted(person.feeds), using)
    for number in [row["pk"] for row in addressed]:
        row = RecordedActivity.objects.using(using).filter(pk=number).first()
        if row is not None and not person.feeds.isdisjoint(row.to):
            row.to = [one for one in row.to if one not in person.feeds]
            with nudges_held():
                row.save(using=using, update_fields=["to"])
            _publish(label, [str(number)], using, token)
            count += 1
    return count


def _publish(label: str, keys: list[str], using: str, token: uuid.UUID) -> None:
    publish_objects(label, keys, using, client=get_client(), token=token)


def ledger_rows(person: Person, using: str) -> list[int]:
    """Rows of the ledger that may name them; the table is read once."""
    texts = sorted(person.feeds | {f'"{one}"' for one in person.user_ids})
    return [row["pk"] for row in rows_with(Publication, texts, using)]


def erase_ledger(person: Person, using: str) -> int:
    """What was published of them is forgotten, with what waits of it: the feeds have it no longer.

    What another worker is just publishing is left, and is found when the erasure is begun again.
    """
    return sum(_forget(number, person, using) for number in ledger_rows(person, using))


@retry_on_deadlock
def _forget(number: int, person: Person, using: str) -> bool:
    rows = Publication.objects.using(using).filter(pk=number)
    known = rows.first()
    if known is None:
        return False
    # Entries before the ledger: the order of all writers.
    entries = _entries(known.model_label, [known.object_key], using)
    with transaction.atomic(using):
        waiting = [one.pk for one in entries.select_for_update().order_by("pk")]
        row = rows.select_for_update().first()
        if row is None or (row.leased_until and row.leased_until > timezone.now()):
            return False
        if any(_is_theirs(one, row.model_label, person) for one in row.records):
            OutboxEntry.objects.using(using).filter(among("pk", waiting, using)).delete()
            rows.delete()
            return True
        records = [_without_recipient(one, person) for one in row.records]
        # Of another's object; without a digest it is sent again when it is looked at.
        return records != row.records and bool(rows.update(records=records, digest=""))


def _entries(label: str, keys: list[str], using: str) -> models.QuerySet[OutboxEntry]:
    return OutboxEntry.objects.using(using).filter(among("object_key", keys, using), model_label=label)


def mirrored(person: Person, using: str) -> Iterator[tuple[CollectionPublisher, list[Any]]]:
    """Rows that are declared to be theirs and are mirrored as collection entries, so many at a time."""
    for publisher in publishers():
        if not isinstance(publisher, CollectionPublisher) or not has_table(publisher.model, using):
            continue
        for path in sorted(_owners(publisher)):
            named = {f"{path.replace('.', '__')}__in": _user_rows(person, using)}
            rows = all_rows(publisher.model, using).filter(**named).order_by("pk")
            for some in batched(rows.iterator(chunk_size=500), limits.USERS_PER_REQUEST):
                yield publisher, some


def _owners(collection: CollectionPublisher) -> set[str]:
    """The paths that say whose a row is: as declared, or else those of who acts or reacts by it.

    Other keys to users, such as `last_changed_by`, make it nobody's.
    """
    if collection.declaration.owner is not None:
        return {collection.declaration.owner}
    users, model = concrete(get_user_model()), collection.model
    return {
        path for path in _who_acts(model) if isinstance(path, str) and related_model(model, path) is users
    }


def _who_acts(model: type[models.Model]) -> Iterator[Source]:
    for publisher in publishers_of(model):
        if isinstance(publisher, ActivityPublisher):
            yield publisher.declaration.actor or DEFAULT_ACTOR
        elif isinstance(publisher, ReactionPublisher):
            yield publisher.declaration.user


def erase_mirrored(person: Person, using: str) -> int:
    """The entries of such rows, which nobody but the site knows to be theirs."""
    count = 0
    for publisher, rows in mirrored(person, using):
        get_client().collections.delete_many(
            publisher.declaration.name, [publisher.entry_id(row) for row in rows]
        )
        keys = [key for row in rows for key in publisher.keys_of(row)]
        count += _forget_mirrored(publisher.label, keys, using)
    return count


@retry_on_deadlock
def _forget_mirrored(label: str, keys: list[str], using: str) -> int:
    with transaction.atomic(using):
        _entries(label, keys, using).delete()
        ledger = Publication.objects.using(using).filter(model_label=label)
        return ledger.filter(among("object_key", keys, using), lease=None).delete()[0]


def _is_theirs(record: Record, label: str, person: Person) -> bool:
    named = {record.get("feed"), record.get("source"), record.get("target")}
    # The `id` of any other record is the key of another row, and may be the same number.
    is_user = label.endswith(f"#{UserPublisher.kind}")
    ids = {record.get("user_id"), record.get("id") if is_user else None}
    return not (named.isdisjoint(person.feeds) and ids.isdisjoint(person.user_ids))


def _without_recipient(record: Record, person: Person) -> Record:
    if "to" not in record:
        return record
    return {**record, "to": [one for one in record["to"] if one not in person.feeds]}


def mentions(person: Person, using: str) -> Iterator[Mention]:
    """Where our tables still name them."""
    for model in _TABLES:
        if not has_table(model, using):
            continue
        for row in rows_with(model, person.needles, using):
            for column, text in row.items():
                if column != "pk" and text and person.is_named_in(str(text)):
                    yield Mention(model._meta.db_table, column, str(row["pk"]), person.doubt_of(str(text)))


def site_rows(person: Person, using: str) -> Iterator[tuple[str, int]]:
    """Rows of the site's own tables that are theirs or lead to them: (what, how many)."""
    users: type[models.Model] = get_user_model()
    if count := _user_rows(person, using).count():
        yield users._meta.label, count
    for model, rows, field in _relations(person, using):
        if not _is_ours(model) and (count := rows.count()):
            yield f"{model._meta.label}.{field}", count


def _user_rows(person: Person, using: str) -> models.QuerySet[Any]:
    users: type[models.Model] = get_user_model()
    keys = [key for one in person.user_ids if (key := clean_pk(users, from_wire_id(one))) is not None]
    return all_rows(users, using).filter(pk__in=keys)


def _relations(person: Person, using: str) -> Iterator[tuple[type[models.Model], models.QuerySet[Any], str]]:
    """The rows of each model that lead to the person, by each of its keys and lists."""
    mine = _user_rows(person, using)
    # With those that have no name on the user: `related_name="+"`.
    for relation in get_user_model()._meta.get_fields(include_hidden=True):
        if not isinstance(relation, ForeignObjectRel):
            continue
        model: type[models.Model] = relation.related_model
        if has_table(model, using):
            name = relation.field.name
            yield model, all_rows(model, using).filter(**{f"{name}__in": mine}), name


def _related(person: Person, using: str) -> Iterator[tuple[type[models.Model], models.QuerySet[Any]]]:
    """The same by foreign keys alone: a row that merely lists them is somebody else's."""
    for model, rows, name in _relations(person, using):
        if isinstance(model._meta.get_field(name), models.ForeignKey):
            yield model, rows


def _is_ours(model: type[models.Model]) -> bool:
    return model._meta.app_label.startswith("django_stream")


def erase_own(person: Person, using: str) -> int:
    """Rows of our own tables that lead to the person, such as preferences; refusals stay with the user."""
    return sum(
        rows.exclude(_refusal(model)).delete()[0]
        for model, rows in list(_related(person, using))
        if _is_ours(model)
    )


def refusals(person: Person, using: str) -> Iterator[tuple[str, int]]:
    """Rows by which users who are still there want no e-mails: without them, they would get some again."""
    for model, rows in _related(person, using):
        if _is_ours(model) and (count := rows.filter(_refusal(model)).count()):
            yield model._meta.label, count


def _refusal(model: type[models.Model]) -> Q:
    return getattr(model, "refusal", Q(pk__in=()))


def _recorded(person: Person, using: str) -> models.QuerySet[RecordedActivity]:
    if not has_table(RecordedActivity, using):
        return RecordedActivity.objects.none()
    named = Q(actor__in=person.references) | Q(owner__in=person.user_ids)
    named |= Q(object__in=person.references) | Q(target__in=person.references)
    return RecordedActivity.objects.using(using).filter(named)


def _told(row: models.Model) -> dict[str, Any]:
    fields = {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields}
    told: dict[str, Any] = json.loads(json.dumps(fields, cls=DjangoJSONEncoder))
    return told

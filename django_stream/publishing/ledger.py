"""The ledger, many objects at a time: leasing them, writing what may be sent, and releasing them."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from django_stream.database.bulk_sql import (
    Upsert,
    among,
    insert_copies,
    update_rows,
    update_rows_with,
    upsert_copies,
)
from django_stream.database.conditions import equal, one_of
from django_stream.database.statements import Database, Row
from django_stream.publishing.models import Publication
from django_stream.publishing.publisher import Record

FREE: dict[str, Any] = {"lease": None, "leased_until": None}
_KNOWN = ("id", "object_key", "records", "digest", "attempts")


@dataclass(slots=True)
class LeasedObject:
    """One object, what the ledger knows of it, and the outbox entries that this attempt settles."""

    ledger_id: int
    key: str
    records: list[Record]
    digest: str
    attempts: int
    """This one included; more than one when it is not known how the last one ended."""
    failures: int = 0
    """Those that count against the change: it is parked after so many."""
    entry_ids: list[int] = field(default_factory=list)
    force: bool = False
    """Send it even if the feeds seem to hold it already."""

    @property
    def is_known(self) -> bool:
        """Whether the feeds held records and content of the ledger when this attempt began."""
        return self.attempts == 1 and not self.force


def take(
    label: str, keys: Sequence[str], using: str, *, token: uuid.UUID, now: datetime, until: datetime
) -> dict[str, LeasedObject]:
    """Lease the objects that nobody holds; each lease is an attempt until it is settled. Answered by key."""
    pattern = Publication(model_label=label, attempts=1, lease=token, leased_until=until)
    # Sorted by the database, so that no two workers wait for each other in a circle.
    rows = upsert_copies(pattern, "object_key", keys, using, upsert=_lease_if_free(now), returning=_KNOWN)
    if rows is None:
        rows = _take_by_steps(pattern, keys, using, now)
    return {row[1]: LeasedObject(*row) for row in rows}


def _lease_if_free(now: datetime) -> Upsert:
    return Upsert(
        unique=("object_key", "model_label"),
        add=("attempts",),
        replace=("lease", "leased_until"),
        free=("leased_until", now),
    )


def _take_by_steps(pattern: Publication, keys: Sequence[str], using: str, now: datetime) -> list[Row]:
    """The same for databases that cannot insert, update and answer in one statement."""
    label = pattern.model_label
    insert_copies(Publication(model_label=label), "object_key", sorted(keys), using, ignore_conflicts=True)
    free = _rows(using).filter(Q(leased_until=None) | Q(leased_until__lt=now))
    free = free.filter(model_label=label, object_key__in=keys).order_by("object_key").select_for_update()
    ours = list(free.values_list(*_KNOWN))
    _rows(using).filter(pk__in=[row[0] for row in ours]).update(
        attempts=F("attempts") + 1, lease=pattern.lease, leased_until=pattern.leased_until
    )
    return [(*known, attempts + 1) for *known, attempts in ours]


def free(label: str, keys: Collection[str], using: str, *, tokens: Collection[str]) -> None:
    """End the leases with these tokens: their worker is gone, and nobody knows what it had sent."""
    rows = _rows(using).filter(among("object_key", list(keys), using), model_label=label, lease__in=tokens)
    rows.update(lease=None, leased_until=None)


def held(objects: Collection[LeasedObject], using: str, *, token: uuid.UUID) -> set[str]:
    """Keys whose lease nobody has taken over.

    All rows are locked until the transaction ends, in the order in which they are taken.
    """
    chosen = one_of("id", [leased.ledger_id for leased in objects])
    rows = Database(using).locked(Publication, ["object_key", "lease"], ["object_key"], chosen)
    ours = {token, token.hex, str(token)}  # databases without UUIDs answer text
    return {key for key, lease in rows if lease in ours}


def held_alone(leased: LeasedObject, using: str, *, token: uuid.UUID, **changes: Any) -> bool:
    """Change the row of one object if nobody has taken its lease over; whether that was so.

    One statement in place of a lock and a change.
    """
    database = Database(using)
    fields = {field.name: field for field in Publication._meta.concrete_fields}
    values = {
        name: fields[name].get_db_prep_save(value, database.connection) for name, value in changes.items()
    }
    ours = equal("id", leased.ledger_id), equal("lease", token)
    return bool(database.update(Publication, values, *ours))


Intent = tuple[LeasedObject, list[Record], str]
"""An object with the records and the digest that it will have."""


def write_held(intents: Sequence[Intent], using: str, *, token: uuid.UUID) -> set[str] | None:
    """Write down what may be sent of objects whose lease nobody has taken over; their keys.

    None where one statement can not do it.
    """
    names, ours = ("records", "digest"), ("lease", token)
    written = update_rows_with(
        Publication, names, _rows_of(intents), using, condition=ours, returning="object_key"
    )
    return None if written is None else set(written)


def end(objects: Collection[LeasedObject], using: str, *, token: uuid.UUID) -> set[str] | None:
    """End the leases that nobody has taken over, after a success; the keys of these.

    None where one statement can not do it.
    """
    chosen = one_of("id", [leased.ledger_id for leased in objects]), equal("lease", token)
    ended = Database(using).updated(Publication, FREE | {"attempts": 0}, ["object_key"], *chosen)
    return None if ended is None else {key for (key,) in ended}


def write(objects: Collection[LeasedObject], using: str) -> None:
    """Write records and digests."""
    write_locked([(one, one.records, one.digest) for one in objects], using)


def write_locked(intents: Sequence[Intent], using: str) -> None:
    """Write down what may be sent of locked objects."""
    update_rows(Publication, ("records", "digest"), _rows_of(intents), using)


def _rows_of(intents: Sequence[Intent]) -> list[Row]:
    return [(leased.ledger_id, records, digest) for leased, records, digest in intents]


def erase(objects: Collection[LeasedObject], using: str) -> None:
    """Forget objects of which nothing is left in the feeds."""
    if objects:
        _among(objects, using).delete()


def release(objects: Collection[LeasedObject], using: str, *, attempts: int | None = None) -> None:
    """End the leases; 0 attempts say that the feeds are right, None that the count goes on."""
    if objects:
        count = {} if attempts is None else {"attempts": attempts}
        chosen = one_of("id", [leased.ledger_id for leased in objects])
        Database(using).update(Publication, FREE | count, chosen)


def reopen(label: str, objects: Collection[LeasedObject], using: str) -> None:
    """Write down again what lost attempts may have put into the feeds, for those who took their objects over.

    The lease of those workers is replaced: they do not know these records, and would settle without them.
    Until it would have run out, nobody else gets the objects.
    """
    found = {leased.key: leased for leased in objects}
    insert_copies(Publication(model_label=label), "object_key", sorted(found), using, ignore_conflicts=True)
    rows = _rows(using).filter(model_label=label, object_key__in=found).order_by("object_key")
    locked = list(rows.select_for_update())
    for row in locked:
        sent = found[row.object_key].records
        row.records = [*row.records, *(record for record in sent if record not in row.records)]
        row.lease = row.lease and uuid.uuid4()
    changed = [(row.pk, row.records, row.lease, row.attempts + 1) for row in locked]
    update_rows(Publication, ("records", "lease", "attempts"), changed, using)


def _rows(using: str) -> QuerySet[Publication]:
    return Publication.objects.using(using)


def _among(objects: Collection[LeasedObject], using: str) -> QuerySet[Publication]:
    return _rows(using).filter(among("pk", [leased.ledger_id for leased in objects], using))

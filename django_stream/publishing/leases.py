"""Claiming work: an object is leased to one worker at a time, and due again if that worker dies."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from django_stream.conf import stream_settings
from django_stream.database.conditions import at_least, at_most, equal, no_row, one_of
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.database.statements import Database, Row
from django_stream.publishing import ledger
from django_stream.publishing.ledger import LeasedObject
from django_stream.publishing.models import OutboxEntry, Publication


@dataclass(slots=True)
class Lease:
    """Objects of one batch by model label and key, ours until the lease runs out."""

    token: uuid.UUID
    until: datetime
    using: str
    objects: dict[str, dict[str, LeasedObject]]

    def held_keys(self, label: str) -> set[str]:
        """Keys whose lease nobody has taken over; their rows are locked until the transaction ends."""
        return ledger.held(self.objects[label].values(), self.using, token=self.token)


# A worker that loses so many races in a row leaves the work to the others.
_RACES = 10
_ENTRY = ("id", "object_key", "attempts", "parked_at")


def claim(
    using: str, now: datetime, limit: int, *, bulk: bool = True, token: uuid.UUID | None = None
) -> Lease | None:
    """Lease up to `limit` due objects; None when nothing is due, or other workers have all of it.

    Without `bulk`, only objects of single changes are taken. The entries stay due and only the lease keeps
    others away: when this process is killed, they are due again as soon as the lease has run out.
    """
    for _ in range(_RACES):
        lease = _claim(using, now, limit, bulk, token or uuid.uuid4())
        if lease is None or lease.objects:
            return lease
    return None


def is_anything_due(using: str, now: datetime, *, bulk: bool = True) -> bool:
    """Whether `claim` might find something: a look that takes no lock and begins no transaction."""
    return bool(_first_due(using, now, 1, bulk))


@retry_on_deadlock
def claim_objects(
    label: str,
    keys: Sequence[str],
    using: str,
    now: datetime,
    *,
    token: uuid.UUID,
    earlier: Collection[str] = (),
) -> Lease:
    """Lease these objects, whether or not anything is due for them; those that others hold are left out.

    `earlier` are tokens of a run that was killed: what it held is free.
    """
    lease = Lease(token, now + timedelta(seconds=stream_settings.OUTBOX_LEASE_SECONDS), using, objects={})
    with transaction.atomic(using):
        taken = ledger.take(label, keys, using, token=token, now=now, until=lease.until)
        if earlier and len(taken) < len(keys):
            rest = [key for key in keys if key not in taken]
            ledger.free(label, rest, using, tokens=earlier)
            taken |= ledger.take(label, rest, using, token=token, now=now, until=lease.until)
        if taken:
            lease.objects[label] = taken
            _attach_entries(label, taken, using)
    return lease


def claim_alone(label: str, key: str, using: str, now: datetime) -> Lease | None:
    """Lease an object and delete its entries, in the open transaction, which is to end the lease as well.

    None where there are none, or somebody else has the object: the transaction is to be undone.
    """
    lease = Lease(uuid.uuid4(), now + timedelta(seconds=stream_settings.OUTBOX_LEASE_SECONDS), using, {})
    chosen = equal("object_key", key), equal("model_label", label)
    # Entries before the ledger, as in every claim.
    entries = Database(using).take(OutboxEntry, _ENTRY, *chosen)
    if not entries:
        return None
    taken = ledger.take(label, [key], using, token=lease.token, now=now, until=lease.until)
    if not taken:
        return None
    lease.objects[label] = taken
    _attach(taken, entries)
    return lease


@retry_on_deadlock
def _claim(using: str, now: datetime, limit: int, bulk: bool, token: uuid.UUID) -> Lease | None:
    """None when nothing is due; an empty lease when other workers were faster."""
    until = now + timedelta(seconds=stream_settings.OUTBOX_LEASE_SECONDS)
    lease = Lease(token, until, using, objects={})
    with transaction.atomic(using):
        due = _due_objects(using, now, limit, bulk)
        # All workers lock in the same order, so that no two wait for each other.
        for label in sorted(due):
            taken = ledger.take(label, due[label], using, token=lease.token, now=now, until=lease.until)
            if taken:
                lease.objects[label] = taken
                _attach_entries(label, taken, using)
    return lease if due else None


def _first_due(using: str, now: datetime, limit: int, bulk: bool, *, lock: bool = False) -> list[Row]:
    """Labels and keys of the first entries that are due, and whose object nobody has leased."""
    same = {"model_label": "e.model_label", "object_key": "e.object_key"}
    free = no_row(Publication, same, at_least("c.leased_until", now))
    flag = "bulk", (False, True) if bulk else (False,)
    columns, order = ["model_label", "object_key"], ["due_at", "id"]
    due = at_most("e.due_at", now)
    return Database(using).first_by_flag(OutboxEntry, columns, flag, order, limit, due, free, lock=lock)


def _due_objects(using: str, now: datetime, limit: int, bulk: bool) -> dict[str, list[str]]:
    """Keys by label that have due entries and no lease: single changes first, then by due time."""
    entries = _first_due(using, now, limit, bulk, lock=True)
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for label, key in entries:
        found[label][key] = None
    return {label: list(keys) for label, keys in found.items()}


def _attach_entries(label: str, objects: dict[str, LeasedObject], using: str) -> None:
    """Find all entries of the leased objects, parked ones too: this attempt settles them."""
    chosen = one_of("object_key", objects), equal("model_label", label)
    _attach(objects, Database(using).select(OutboxEntry, _ENTRY, *chosen))


def _attach(objects: dict[str, LeasedObject], entries: Iterable[Row]) -> None:
    for entry_id, key, attempts, parked_at in entries:
        leased = objects[key]
        leased.entry_ids.append(entry_id)
        if attempts:
            leased.force = True
            # A change that comes after parking has all its attempts left.
            leased.failures = max(leased.failures, 0 if parked_at else attempts)

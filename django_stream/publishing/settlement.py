"""After an attempt: entries of what succeeded go, the rest is scheduled or parked, leases end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from django_stream.database.bulk_sql import insert_copies, update_rows
from django_stream.database.conditions import one_of
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.database.statements import Database
from django_stream.publishing import ledger
from django_stream.publishing.entries import insert_entries
from django_stream.publishing.leases import Lease
from django_stream.publishing.ledger import LeasedObject
from django_stream.publishing.models import OutboxEntry, never
from django_stream.publishing.publisher import Change, Dependents
from django_stream.publishing.retry import RetrySchedule, reason_of


class Outcome(NamedTuple):
    """How an attempt went, by key."""

    done: dict[str, Change]
    failed: dict[str, Exception]
    """Those that are tried again."""
    parked: dict[str, Exception]

    def without(self, keys: Collection[str]) -> Outcome:
        """Of all others."""
        done = {key: change for key, change in self.done.items() if key not in keys}
        failed, parked = (
            {key: error for key, error in errors.items() if key not in keys}
            for errors in (self.failed, self.parked)
        )
        return Outcome(done, failed, parked)


@retry_on_deadlock
def settle(
    lease: Lease,
    label: str,
    outcome: Outcome,
    dependents: Callable[[], Iterable[Dependents]],
    now: datetime,
    policy: RetrySchedule,
) -> set[str]:
    """Write the outcome of one attempt in one transaction; returns the keys that others have taken over."""
    objects, using = lease.objects[label], lease.using
    done, failed, parked = outcome
    with transaction.atomic(using):
        # Entries before the ledger: the order in which a claim locks them. A worker that took an object
        # over may find its entries gone, so it gets a new one below.
        _delete_entries([objects[key] for key in done], using)
        _reschedule(label, objects, failed, parked, now, policy, using)
        ended = _ended(lease, objects, done)
        if ended is None or len(ended) < len(objects):
            # Whatever is entered again below, all rows are locked before.
            ours = lease.held_keys(label) | (ended or set())
        else:
            ours = ended
        lost = objects.keys() - ours
        _note_lost(label, [objects[key] for key in lost], now, using)
        if ended is None:
            _settle_ledger(objects, {key: change for key, change in done.items() if key in ours}, using)
        ledger.release([objects[key] for key in failed if key in ours], using)
        # One attempt stays open, since nobody knows what arrived; delays start over.
        given_up = [objects[key] for key in parked if key in ours]
        ledger.write(given_up, using)
        ledger.release(given_up, using, attempts=1)
        _note_dependents(dependents(), now, using)
    return lost


def settle_alone(
    lease: Lease, label: str, change: Change, dependents: Iterable[Dependents], now: datetime, digest: str
) -> bool:
    """Write the outcome of one object that was sent in the open transaction; False if its lease is not ours.

    The ledger hears of what was sent here, and not before, since both are committed together.
    """
    [leased] = lease.objects[label].values()
    if change.desired is None:
        ledger.erase([leased], lease.using)
    else:
        outcome = {"records": change.desired.records, "digest": digest, "attempts": 0, **ledger.FREE}
        if not ledger.held_alone(leased, lease.using, token=lease.token, **outcome):
            return False
    _note_dependents(dependents, now, lease.using)
    return True


def _note_dependents(dependents: Iterable[Dependents], now: datetime, using: str) -> None:
    for other in dependents:
        entry = OutboxEntry(model_label=other.label, due_at=now, attempts=int(other.force))
        insert_entries(entry, other.keys, using)


def _ended(lease: Lease, objects: dict[str, LeasedObject], done: dict[str, Change]) -> set[str] | None:
    """Where nothing is to be said but that it is done: end what is still ours, and tell which that is."""
    if len(done) < len(objects) or any(one.desired is None or one.stale for one in done.values()):
        return None
    if len(objects) > 1:
        return ledger.end(objects.values(), lease.using, token=lease.token)
    [(key, leased)] = objects.items()
    is_ours = ledger.held_alone(leased, lease.using, token=lease.token, **ledger.FREE, attempts=0)
    return {key} if is_ours else set()


def _delete_entries(objects: Collection[LeasedObject], using: str) -> None:
    if entry_ids := [pk for leased in objects for pk in leased.entry_ids]:
        Database(using).delete(OutboxEntry, one_of("id", entry_ids))


def _reschedule(
    label: str,
    objects: dict[str, LeasedObject],
    failed: dict[str, Exception],
    parked: dict[str, Exception],
    now: datetime,
    policy: RetrySchedule,
    using: str,
) -> None:
    rows: list[tuple[Any, ...]] = []
    for key, error in (failed | parked).items():
        leased, parked_at = objects[key], now if key in parked else None
        due_at = never() if parked_at else now + policy.delay(error, leased.attempts)
        outcome = (due_at, parked_at, leased.failures, reason_of(error))
        rows += [(entry_id, *outcome) for entry_id in leased.entry_ids or [_entry(label, key, using)]]
    update_rows(OutboxEntry, ("due_at", "parked_at", "attempts", "reason"), rows, using)


def _entry(label: str, key: str, using: str) -> int:
    """An entry for an object that was published without one, as whole tables are."""
    entries = OutboxEntry.objects.using(using)
    return entries.create(model_label=label, object_key=key, bulk=True, due_at=never()).pk


def _note_lost(label: str, objects: Collection[LeasedObject], now: datetime, using: str) -> None:
    """Have objects that another worker took over looked at again: we may have sent after it did.

    The ledger is reopened, so that they are not skipped as unchanged.
    """
    if objects:
        ledger.reopen(label, objects, using)
        entry = OutboxEntry(model_label=label, due_at=now)
        insert_copies(entry, "object_key", sorted(leased.key for leased in objects), using)


def _settle_ledger(objects: dict[str, LeasedObject], done: dict[str, Change], using: str) -> None:
    gone = [objects[key] for key, change in done.items() if change.desired is None]
    there = [objects[key] for key, change in done.items() if change.desired is not None]
    moved = [objects[key] for key, change in done.items() if change.desired is not None and change.stale]
    for leased in moved:
        leased.records = done[leased.key].desired.records  # type: ignore[union-attr]
    ledger.erase(gone, using)
    ledger.write(moved, using)
    ledger.release(there, using, attempts=0)

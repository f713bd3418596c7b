"""Bytes without a row: noted where the row goes, or before it comes, and taken from the storage later.

A note stays until the storage has deleted the bytes, or the row is there, whoever is killed. Nobody else
deletes bytes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import DatabaseError, transaction
from django.db.models import Min
from django.utils import timezone

from django_stream.database.bulk_sql import among
from django_stream.database.commits import call_after_commit
from django_stream.database.conditions import at_most, one_of
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.database.statements import Database
from django_stream.protocol.errors import invalid
from django_stream.server.feed_store import database
from django_stream.server.files.urls import storage
from django_stream.server.models import Application, FileDeletion, StoredFile
from django_stream.server.models.files import FileDeletions, StoredFiles

logger = logging.getLogger("django_stream.server")

_STEP = 100
# After so long an upload has failed, if it has no row.
_ARRIVAL = timedelta(minutes=10)
# So long nobody else tries what somebody tries, or has tried in vain.
_LEASE = timedelta(minutes=1)
# After so many failures in a row the storage is away, and each further one may take a minute.
_FAILURES_IN_A_ROW = 10


class Deleted(NamedTuple):
    """How it went with the bytes of some files."""

    gone: int = 0
    failed: int = 0
    is_away: bool = False
    """Whether the storage was given up: the rest is not tried now."""


class Waiting(NamedTuple):
    """Deleted files whose bytes may be in the storage still."""

    number: int
    seconds: float
    """Since the oldest of them was deleted."""


def delete(files: StoredFiles) -> None:
    """Delete rows of files, and their bytes after the commit; of very many most wait for the next round."""
    names = list(files.values_list("name", flat=True)[:_STEP])
    files.delete()
    call_after_commit(database(), _delete_noted, names)


def _delete_noted(names: Sequence[str]) -> None:
    """Somebody waits for the answer, and the first failure is enough of that."""
    notes = FileDeletion.objects.using(database()).filter(among("pk", names, database()))
    _delete(list(notes.values_list("name", flat=True)), most=1)


def expect(file: StoredFile) -> FileDeletion:
    """Note a file that is about to be stored: if it gets no row, its bytes go all the same."""
    note = FileDeletion.of(file, timezone.now() + _ARRIVAL)
    note.save(using=database(), force_insert=True)
    return note


def has_arrived(note: FileDeletion) -> None:
    """Take the note back, in the transaction that writes the row; else nobody knows what is in the storage.

    400 where somebody has taken the file for one that never arrived, or has erased its owner meanwhile.
    """
    # Whoever is at it has made it due later.
    if not FileDeletion.objects.using(database()).filter(pk=note.pk, due_at=note.due_at).delete()[0]:
        raise invalid("the file took too long to be stored, and is not kept")


def discard(file: StoredFile) -> None:
    """Delete the bytes of a file that got no row. It raises nothing: why there is none is worth more."""
    discard_later(file)
    with suppress(DatabaseError):
        _delete([file.name], most=1)


def discard_later(file: StoredFile) -> None:
    """Likewise, with the next round."""
    now = timezone.now()
    with suppress(DatabaseError):
        notes = FileDeletion.objects.using(database())
        if not notes.filter(pk=file.name).update(noted_at=now, due_at=now):
            notes.note([file])


def delete_of(application_id: int, user_ids: Collection[str]) -> None:
    """Try after the commit what is left of these users, whoever has tried it before."""
    call_after_commit(database(), _delete_of, application_id, user_ids)


def _delete_of(application_id: int, user_ids: Collection[str]) -> None:
    notes = waiting_of(application_id, user_ids).order_by("name")
    last = ""
    while names := list(notes.filter(name__gt=last).values_list("name", flat=True)[:_STEP]):
        last = names[-1]
        if _delete(names, most=_FAILURES_IN_A_ROW).is_away:
            break


def waiting_of(application_id: int, user_ids: Collection[str]) -> FileDeletions:
    """The notes about what was these users'."""
    return FileDeletion.objects.using(database()).filter(application_id=application_id, user_id__in=user_ids)


def delete_due(within: float = 60.0) -> Deleted:
    """Try everything that is due once, step by step, for so many seconds. Several may do so at once."""
    gone = failed = 0
    until, end = timezone.now(), time.monotonic() + within
    while time.monotonic() < end and (names := _claim(until)):
        done = _delete(names, most=_FAILURES_IN_A_ROW)
        gone, failed = gone + done.gone, failed + done.failed
        if done.is_away:
            return Deleted(gone, failed, is_away=True)
    return Deleted(gone, failed)


def waiting() -> Waiting:
    """How many wait, of all applications, and for how long."""
    rows = FileDeletion.objects.using(database()).filter(noted_at__lte=timezone.now())
    oldest = rows.aggregate(oldest=Min("noted_at"))["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    return Waiting(rows.count(), age)


@retry_on_deadlock
def _claim(until: datetime) -> list[str]:
    """Names that were due by then and that nobody else has; now they are due later."""
    notes = Database(database())
    with transaction.atomic(using=database()):
        due = at_most("due_at", until)
        names = [name for (name,) in notes.locked_first(FileDeletion, ["name"], ["due_at"], _STEP, due)]
        if names:
            notes.update(FileDeletion, {"due_at": timezone.now() + _LEASE}, one_of("name", names))
    return names


def _delete(names: Sequence[str], *, most: int) -> Deleted:
    """Delete bytes, and then the notes about them. Done twice, by whomever, it does no harm.

    It ends after so many failures in a row.
    """
    gone, failed, in_a_row = [], 0, 0
    for name in names:
        try:
            storage().delete(name)
        except FileNotFoundError:  # for some storages what is not there is an error
            pass
        except Exception as error:  # each storage has errors of its own
            _tell(FileDeletion(name=name), error)
            failed, in_a_row = failed + 1, in_a_row + 1
            if in_a_row == most:
                break
            continue
        in_a_row = 0
        gone.append(name)
    FileDeletion.objects.using(database()).filter(among("pk", gone, database())).delete()
    return Deleted(len(gone), failed, is_away=in_a_row == most)


def _tell(file: StoredFile | FileDeletion, error: Exception) -> None:
    """Whoever knows its name may read the file, so the log has none, nor the path in an error."""
    why = getattr(error, "strerror", None) or error
    logger.error("the bytes of file %s were not deleted: %s: %s", file.public_id, type(error).__name__, why)


def forget_application(instance: Application, using: str, **_: Any) -> None:
    """Delete the files of an application that is about to be deleted, since its cascade notes nothing."""
    with transaction.atomic(using=using):
        # Uploads refer to it: none comes between.
        Application.objects.using(using).select_for_update().filter(pk=instance.pk).first()
        delete(StoredFile.objects.using(using).filter(application=instance))

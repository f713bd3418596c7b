"""The log as its readers see it: committed events in one order that never changes.

A transaction writes its events without a place. Whoever reads gives places to what has committed by
then, one at a time (the lock of the log's one row), each place higher than all before it. So an event that
commits late comes late: no reader can have passed it, however long its transaction took, and no reader
waits for transactions of others. Events of one object keep their order, since their writers lock it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from django_stream.database.conditions import time_text
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.database.dialect import Fragment
from django_stream.database.statements import Database, Row
from django_stream.server.conf import server_settings
from django_stream.server.feed_store import database
from django_stream.server.models import StreamEvent, StreamLog
from django_stream.server.reads.serializers import aware

BATCH = 1000
BYTES = 4 * 1024 * 1024
"""An event is added to a batch while those before it have less: some events are a thousand times others."""
_PRUNED_AT_ONCE = 10_000


class State(NamedTuple):
    """How far the log goes, and how often streams have changed."""

    newest: int
    pruned: int
    version: int


class Logged(NamedTuple):
    """One event of the log. `data` is JSON, and `timestamp` in milliseconds."""

    position: int
    application: int
    kind: str
    object_id: str
    op: str
    is_deleted: bool
    data: str
    timestamp: int


_EMPTY = State(0, 0, 0)
_COLUMNS = ("position", "application", "kind", "object_id", "op", "is_deleted", "data")
_DATA = _COLUMNS.index("data")


def state() -> State:
    """Where the log is; all zero before its first event."""
    rows = StreamLog.objects.using(database()).filter(pk=1).values_list("newest", "pruned", "version")
    found = rows.first()
    return _EMPTY if found is None else State(*found)


def is_waiting() -> bool:
    """Whether committed events have no place yet."""
    return StreamEvent.objects.using(database()).filter(position=None).exists()


def give_places() -> int:
    """Put committed events into their place in the log; returns how many there were."""
    given = 0
    while is_waiting():
        count = place_some()
        given += count
        if count < BATCH:
            break
    return given


@retry_on_deadlock
def place_some() -> int:
    """Put a batch of committed events into their place; how many there were."""
    server = Database(database())
    with transaction.atomic(using=database()):
        log = _locked()
        placed = _place(server, log.newest)
        if placed:
            log.newest += placed
            log.save(using=database(), update_fields=["newest"])
    return placed


def _locked() -> StreamLog:
    rows = StreamLog.objects.using(database())
    while (log := rows.select_for_update().filter(pk=1).first()) is None:
        rows.bulk_create([StreamLog(pk=1)], ignore_conflicts=True)
    return log


def _place(server: Database, newest: int) -> int:
    table = server.dialect.table(StreamEvent)
    # The lock of the log keeps all others from giving places.
    placed = Fragment(
        "(SELECT id AS event, %s + row_number() OVER (ORDER BY id) AS place FROM ("
        f" SELECT id FROM {table} WHERE position IS NULL ORDER BY id LIMIT {BATCH}"
        ") waiting) placed",
        [newest],
    )
    change = Fragment("position = placed.place")
    return server.execute(*server.dialect.update_from(table, change, placed, f"{table}.id = placed.event"))


def after(position: int, *, limit: int | None = None, most: int | None = None) -> list[Logged]:
    """The events that follow a place, of all applications, in order; by default a batch of them."""
    server, left = Database(database()), most or BYTES

    def is_enough(row: Row) -> bool:
        nonlocal left
        left -= len(row[_DATA].encode())
        return left <= 0

    selected = server.columns([*_COLUMNS, time_text("created_at")])
    rows = (
        f"SELECT {selected} FROM {server.dialect.table(StreamEvent)} "
        f"WHERE position > %s ORDER BY position LIMIT {limit or BATCH}"
    )
    sql = server.dialect.first_bytes(rows, "data", "position", left)
    return [_logged(row) for row in server.rows_until(is_enough, sql, [position])]


def _logged(row: Row) -> Logged:
    position, application, kind, object_id, op, is_deleted, data, moment = row[: len(_COLUMNS) + 1]
    return Logged(position, application, kind, object_id, op, bool(is_deleted), data, _milliseconds(moment))


def _milliseconds(moment: datetime | str) -> int:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC) if settings.USE_TZ else aware(moment)
    return int(moment.timestamp() * 1000)


def touch() -> None:
    """Count a change of streams, filters or keys; in its transaction, as the last thing."""
    log = _locked()
    log.version += 1
    log.save(using=database(), update_fields=["version"])


def prune() -> int:
    """Delete events that are older or more than the settings allow; returns how many there were."""
    give_places()
    oldest = timezone.now() - timedelta(days=server_settings.STREAMS_LOG_DAYS)
    deleted = 0
    while count := _prune_some(oldest):
        deleted += count
    return deleted


@retry_on_deadlock
def _prune_some(oldest: datetime) -> int:
    """Delete some of the oldest events. Readers are told of the gap: they look at `pruned`."""
    rows = StreamEvent.objects.using(database()).filter(position__isnull=False)
    with transaction.atomic(using=database()):
        log = _locked()
        end = min(log.pruned + _PRUNED_AT_ONCE, log.newest)
        some = rows.filter(position__gt=log.pruned, position__lte=end)
        beyond = log.newest - server_settings.STREAMS_LOG_EVENTS_MAX
        young = some.filter(created_at__gte=oldest, position__gt=beyond)
        first_kept = young.order_by("position").values_list("position", flat=True).first()
        upto = end if first_kept is None else first_kept - 1
        if upto <= log.pruned:
            return 0
        count = rows.filter(position__lte=upto).delete()[0]
        log.pruned = upto
        log.save(using=database(), update_fields=["pruned"])
    return max(count, 1)

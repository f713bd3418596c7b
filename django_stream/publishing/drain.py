"""The drain: from due outbox entries to feeds that equal the tables."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone, translation

from django_stream.backends import get_client
from django_stream.conf import stream_settings
from django_stream.publishing import telemetry
from django_stream.publishing.at_once import publish_at_once
from django_stream.publishing.batch import Batch
from django_stream.publishing.lease_guard import lease_guarded
from django_stream.publishing.leases import claim, is_anything_due
from django_stream.publishing.publisher import ObjectName
from django_stream.publishing.report import DrainReport

if TYPE_CHECKING:
    from django_stream.client import StreamClient


def drain(
    using: str = "default",
    *,
    client: StreamClient | None = None,
    bulk: bool = True,
    max_batches: int | None = None,
    token: uuid.UUID | None = None,
    clock: Callable[[], datetime] = timezone.now,
    first: ObjectName | None = None,
) -> DrainReport:
    """Publish everything that is due in one database, batch by batch, outside of any transaction.

    `using` is the alias of the database. Single changes go first; with `bulk=False`, changes of bulk
    operations are left for later. `max_batches` ends the drain early, and the report's `more` is true then.
    `first` is an object that has just changed, by the label of its publisher and its key: where the feeds
    are in the same database it is published in one transaction, before what else is due.
    `token` is that of the leases, for a run that has to know them again after it was killed.
    Failures are not raised: they are counted in the report, logged, and tried again or parked.
    """
    client = client or get_client()
    with spoken_as_the_site():
        report = publish_at_once(*first, using, client, clock) if first else None
        return _drain(using, client, bulk, max_batches, token, clock, report)


@contextmanager
def spoken_as_the_site() -> Iterator[None]:
    """What rows say of themselves does not depend on who drains: a visitor, a worker or a command."""
    with translation.override(settings.LANGUAGE_CODE), timezone.override(None):
        yield


def _drain(
    using: str,
    client: StreamClient,
    bulk: bool,
    max_batches: int | None,
    token: uuid.UUID | None,
    clock: Callable[[], datetime],
    begun: DrainReport | None,
) -> DrainReport:
    report = begun or DrainReport()
    batches = 0 if begun is None else 1
    while not report.out_of_reach:
        if batches == max_batches:
            report.more = True
            break
        # What is said of an object while it is sent becomes due only when it has been settled.
        if batches and not is_anything_due(using, clock(), bulk=bulk):
            break
        lease = claim(using, clock(), stream_settings.OUTBOX_BATCH_SIZE, bulk=bulk, token=token)
        if lease is None:
            break
        batches += 1
        for label, objects in lease.objects.items():
            with telemetry.span("publish", model=label, objects=len(objects)):
                report += Batch(lease, label, lease_guarded(client, lease.until, clock), clock).publish()
    return report

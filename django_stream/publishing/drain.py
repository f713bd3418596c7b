"""The drain: from due outbox entries to feeds that equal the tables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from django_stream.backends import get_client
from django_stream.client import StreamClient
from django_stream.conf import stream_settings
from django_stream.publishing import telemetry
from django_stream.publishing.batch import Batch
from django_stream.publishing.lease_guard import lease_guarded
from django_stream.publishing.leases import claim
from django_stream.publishing.report import DrainReport


def drain(
    using: str = "default",
    *,
    client: StreamClient | None = None,
    bulk: bool = True,
    max_batches: int | None = None,
    clock: Callable[[], datetime] = timezone.now,
) -> DrainReport:
    """Publish everything that is due in one database, batch by batch, outside of any transaction.

    `using` is the alias of the database. Single changes go first; with `bulk=False`, changes of bulk
    operations are left for later. `max_batches` ends the drain early, and the report's `more` is true then.
    Failures are not raised: they are counted in the report, logged, and tried again or parked.
    """
    client = client or get_client()
    report = DrainReport()
    batches = 0
    while not report.out_of_reach:
        if batches == max_batches:
            report.more = True
            break
        lease = claim(using, clock(), stream_settings.OUTBOX_BATCH_SIZE, bulk=bulk)
        if lease is None:
            break
        batches += 1
        for label, objects in lease.objects.items():
            with telemetry.span("publish", model=label, objects=len(objects)):
                report += Batch(lease, label, lease_guarded(client, lease.until, clock), clock).publish()
    return report

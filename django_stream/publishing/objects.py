"""Publishing objects of which no entry says that they changed: whole tables, and what a repair found."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone

from django_stream.backends import backend_fingerprint
from django_stream.database.bulk_sql import among
from django_stream.publishing import telemetry
from django_stream.publishing.batch import Batch
from django_stream.publishing.drain import spoken_as_the_site
from django_stream.publishing.entries import insert_entries
from django_stream.publishing.lease_guard import lease_guarded
from django_stream.publishing.leases import claim_objects
from django_stream.publishing.models import OutboxEntry, Publication
from django_stream.publishing.one_by_one import desired_state
from django_stream.publishing.publisher import Publisher
from django_stream.publishing.report import DrainReport

if TYPE_CHECKING:
    from django_stream.client import StreamClient

logger = logging.getLogger("django_stream.publishing")


def publish_objects(
    label: str,
    keys: Sequence[str],
    using: str,
    *,
    client: StreamClient,
    token: uuid.UUID,
    earlier: Collection[str] = (),
    force: bool = False,
    withdraw: bool = False,
    clock: Callable[[], datetime] = timezone.now,
) -> DrainReport:
    """Bring these objects up to date now, outside of any transaction, as a drain does.

    With `withdraw`, they are taken out of the feeds, whatever their rows say. What another worker
    holds at the moment is left to the outbox, and so is what fails.
    """
    if not keys:
        return DrainReport()
    lease = claim_objects(label, keys, using, clock(), token=token, earlier=earlier)
    taken = lease.objects.get(label, {})
    insert_entries(
        OutboxEntry(model_label=label, bulk=True), (key for key in keys if key not in taken), using
    )
    if not taken:
        return DrainReport()
    for leased in taken.values() if force else ():
        leased.force = True
    guarded = lease_guarded(client, lease.until, clock)
    with spoken_as_the_site(), telemetry.span("publish", model=label, objects=len(taken)):
        return Batch(lease, label, guarded, clock, withdraw=withdraw).publish()


def preview_objects(
    publisher: Publisher, keys: Sequence[str], using: str, *, force: bool = False
) -> DrainReport:
    """What `publish_objects` would count; nothing is sent and nothing is written."""
    known = Publication.objects.using(using).filter(
        among("object_key", list(keys), using), model_label=publisher.label
    )
    ledger = {row.object_key: row for row in known}
    with spoken_as_the_site():
        state = desired_state(publisher, list(keys), using)
    report, fingerprint = DrainReport(), backend_fingerprint()
    for key in keys:
        desired, row = state.get(key), ledger.get(key)
        if isinstance(desired, Exception):
            logger.warning("%s %s could not be published", publisher.label, key, exc_info=desired)
            report.failed += 1
            continue
        report.published += 1
        if desired is None:
            report.kept_out += row is None or not row.records
        elif row is not None and not row.attempts and not force:
            report.unchanged += row.digest == f"{fingerprint}:{desired.digest}"
    return report

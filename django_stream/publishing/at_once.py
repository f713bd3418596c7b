"""One object that has just changed, published by one transaction, where its feeds are in its own database.

What is sent is committed together with its outcome, so nothing has to be written down before: whatever the
process is killed at, its entry waits as if nobody had looked. What is unusual undoes all of it, and is left
to those who lease.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from django_stream.backends import database_of
from django_stream.database.statements import Database
from django_stream.database.transactions import undone_as_a_whole
from django_stream.publishing import telemetry
from django_stream.publishing.batch import Batch
from django_stream.publishing.leases import claim_alone
from django_stream.publishing.one_by_one import apply, with_json_form
from django_stream.publishing.publisher import Change, Desired, Publisher, publisher_for
from django_stream.publishing.report import DrainReport
from django_stream.publishing.settlement import Outcome, settle_alone

if TYPE_CHECKING:
    from django_stream.client import StreamClient

logger = logging.getLogger("django_stream.publishing")


def publish_at_once(
    label: str, key: str, using: str, client: StreamClient, clock: Callable[[], datetime]
) -> DrainReport | None:
    """Bring one object up to date; None where nothing was done, and leases are to be taken."""
    publisher = publisher_for(label)
    if publisher is None or database_of(client) != using:
        return None
    try:
        with telemetry.span("publish", model=label, objects=1), undone_as_a_whole(using):
            lease = claim_alone(label, key, using, clock())
            batch = _Alone(lease, label, client, clock) if lease else None
            if batch is None or not batch.succeeds(publisher):
                transaction.set_rollback(True, using=using)
                return None
    except Exception:  # the site's own code, or a deadlock: it is looked at again, with leases
        logger.debug("%s %s could not be published at once", label, key, exc_info=True)
        return None
    return batch.told()


class _Alone(Batch):
    """One object, all of whose attempt belongs to the open transaction."""

    _change: Change
    _asks_the_site = False

    def succeeds(self, publisher: Publisher) -> bool:
        """Send and settle; False if anything failed or may take long, and all of it is to be undone."""
        changes = self._changes(publisher)
        if self.failures or self._asks_the_site:
            return False
        [self._change] = changes.values()
        sent = [change for change in changes.values() if not self._is_unchanged(change)]
        if apply(publisher, self._client, sent):
            return False
        self._is_sent = bool(sent)
        desired, now = self._change.desired, self._clock()
        dependents = publisher.dependents(sent, self.lease.using) if sent else ()
        return settle_alone(
            self.lease, self.label, self._change, dependents, now, self._digest(desired) if desired else ""
        )

    def told(self) -> DrainReport:
        """Report what the transaction has committed."""
        outcome = Outcome({self._change.key: self._change}, {}, {})
        self._report(outcome, ())
        return self._counted(outcome, outcome.done if self._is_sent else {}, ())

    def _state(self, publisher: Publisher) -> dict[str, Desired | Exception]:
        """Without a savepoint, since a failure undoes all."""
        keys, using = list(self.objects), self.lease.using
        state: Mapping[str, Desired | Exception] | None
        if Database(using).dialect.lock():
            state = publisher.desired(keys, using)
        else:
            # Without locks of rows, everybody would wait for what the site's code does meanwhile.
            state = publisher.desired_by_columns(keys, using)
            self._asks_the_site = state is None
        return {key: with_json_form(value) for key, value in (state or {}).items()}

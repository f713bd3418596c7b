"""The leased objects of one model: what is desired, what is sent, and how it is settled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

from django_stream import signals
from django_stream.backends import backend_fingerprint
from django_stream.client.exceptions import TransportException
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.publishing import ledger
from django_stream.publishing.dependents import Dependence
from django_stream.publishing.leases import Lease
from django_stream.publishing.one_by_one import apply, desired_state
from django_stream.publishing.publisher import (
    Change,
    Desired,
    Publisher,
    Refused,
    Unpublishable,
    publisher_for,
)
from django_stream.publishing.report import DrainReport
from django_stream.publishing.retry import NotTracked, RetrySchedule, is_held_back, reason_of
from django_stream.publishing.settlement import Outcome, settle

if TYPE_CHECKING:
    from django_stream.client import StreamClient

logger = logging.getLogger("django_stream.publishing")

_Failures = dict[str, Exception]


class Batch:
    """The leased objects of one model, brought up to date together."""

    def __init__(
        self,
        lease: Lease,
        label: str,
        client: StreamClient,
        clock: Callable[[], datetime],
        *,
        withdraw: bool = False,
    ) -> None:
        self.lease = lease
        self._nothing_is_desired = withdraw
        self.label = label
        self.objects = lease.objects[label]
        self.failures: _Failures = {}
        self._withdrawn: list[Change] = []
        self._failed_before = {key: leased.failures for key, leased in self.objects.items()}
        self._client = client
        self._clock = clock
        self._fingerprint = backend_fingerprint()

    def publish(self) -> DrainReport:
        """Read what is desired, write down what may be sent, send it, and settle."""
        publisher = publisher_for(self.label)
        changes: dict[str, Change] = {}
        different: dict[str, Change] = {}
        if publisher is None:
            self.failures |= dict.fromkeys(self.objects, NotTracked(f"{self.label} is not tracked here"))
        else:
            changes = self._changes(publisher)
            different = {key: change for key, change in changes.items() if not self._is_unchanged(change)}
            sendable = self._write_intent(different)
            self._note_failures(apply(publisher, self._client, sendable), different)
            self._withdraw(publisher)
        return self._settle(publisher, changes, different)

    def _changes(self, publisher: Publisher) -> dict[str, Change]:
        state: dict[str, Desired | Exception] = {}
        if not self._nothing_is_desired:
            state = self._state(publisher)
        changes = {}
        for key, leased in self.objects.items():
            desired = state.get(key)
            if isinstance(desired, Exception):
                self.failures[key] = desired
                continue
            # What is known of another backend says nothing of this one.
            confirmed = leased.is_known and leased.digest.startswith(self._fingerprint)
            changes[key] = Change(key, leased.records, desired, confirmed=confirmed)
        return changes

    def _state(self, publisher: Publisher) -> dict[str, Desired | Exception]:
        return desired_state(publisher, list(self.objects), self.lease.using)

    def _withdraw(self, publisher: Publisher) -> None:
        """Take out what the feeds may have of rows that cannot be published any more; they fail even so."""
        gone = {
            key: Change(key, self.objects[key].records, None, confirmed=False)
            for key, error in self.failures.items()
            if isinstance(error, Unpublishable) and self.objects[key].records
        }
        failures = apply(publisher, self._client, self._write_intent(gone))
        self.failures |= failures
        for key in gone.keys() - failures.keys():
            self.objects[key].records = []
            self._withdrawn.append(gone[key])

    def _digest(self, desired: Desired) -> str:
        return f"{self._fingerprint}:{desired.digest}"

    def _is_unchanged(self, change: Change) -> bool:
        """Nothing to send: gone and never published, or the very content that is known to be there."""
        if change.desired is None:
            return not change.before
        return change.confirmed and self.objects[change.key].digest == self._digest(change.desired)

    @retry_on_deadlock
    def _write_intent(self, changes: dict[str, Change]) -> list[Change]:
        """Record everything that may be in the feeds from the first request on.

        Returns the changes whose lease is still ours; other workers have taken over the rest.
        """
        if not changes:
            return []
        if len(changes) == 1 and (alone := self._intend_alone(*changes.values())) is not None:
            return alone
        intents: dict[str, ledger.Intent] = {
            key: (self.objects[key], [*change.stale, *change.desired.records], self._digest(change.desired))
            for key, change in changes.items()
            if change.desired is not None
        }
        ours, using, token = None, self.lease.using, self.lease.token
        if len(intents) == len(changes):
            ours = ledger.write_held([*intents.values()], using, token=token)
        if ours is None:
            with transaction.atomic(using):
                ours = self.lease.held_keys(self.label)
                ledger.write_locked([intents[key] for key in intents if key in ours], using)
        for key in ours & intents.keys():
            leased = self.objects[key]
            _, leased.records, leased.digest = intents[key]
        return [change for change in changes.values() if change.key in ours]

    def _intend_alone(self, change: Change) -> list[Change] | None:
        """The same for one change that puts something into the feeds: None for all others."""
        if change.desired is None:
            return None
        leased = self.objects[change.key]
        records, digest = [*change.stale, *change.desired.records], self._digest(change.desired)
        written = {"records": records, "digest": digest}
        if not ledger.held_alone(leased, self.lease.using, token=self.lease.token, **written):
            return []
        leased.records, leased.digest = records, digest
        return [change]

    def _note_failures(self, failures: _Failures, changes: dict[str, Change]) -> None:
        for key, error in failures.items():
            if isinstance(error, Refused):
                # Nothing was sent. Otherwise each retry would try to remove records that the API refuses.
                self.objects[key].records = changes[key].before
                error = error.error
            self.failures[key] = error

    def _settle(
        self, publisher: Publisher | None, changes: dict[str, Change], different: dict[str, Change]
    ) -> DrainReport:
        policy, dependence = RetrySchedule.from_settings(), Dependence(publisher, self.lease.using)
        while True:
            done = {key: change for key, change in changes.items() if key not in self.failures}
            outcome = Outcome(done, *self._sort_failures(policy))
            made = [different[key] for key in done if key in different] + self._withdrawn
            try:
                asked = partial(dependence.of, made)
                overtaken = settle(self.lease, self.label, outcome, asked, self._clock(), policy)
                break
            except Exception as error:
                if error is not dependence.error:
                    raise
                self._blame(made, dependence.failures(made, error))
        # The worker that took these over reports their outcome.
        mine = outcome.without(overtaken)
        self._report(mine, overtaken)
        return self._counted(mine, different, overtaken)

    def _blame(self, made: list[Change], failures: _Failures) -> None:
        """What was sent is there, but counts as failed: as long as it is, its next attempt asks again.

        That attempt has to know all of the change, so its records stay those of the intent.
        """
        for change in made:
            if change.key in failures:
                kept = change.desired.records if change.desired else []
                self.objects[change.key].records = [*change.stale, *kept]
        self._withdrawn = [change for change in self._withdrawn if change.key not in failures]
        self.failures |= failures

    def _counted(
        self, outcome: Outcome, different: dict[str, Change], overtaken: Collection[str]
    ) -> DrainReport:
        done = outcome.done
        kept_out = sum(one.desired is None and not one.before for one in done.values())
        return DrainReport(
            published=len(done),
            failed=len(outcome.failed),
            parked=len(outcome.parked),
            unchanged=len(done.keys() - different.keys()) - kept_out,
            kept_out=kept_out,
            overtaken=len(overtaken),
            out_of_reach=any(map(_is_out_of_reach, self.failures.values())),
        )

    def _sort_failures(self, policy: RetrySchedule) -> tuple[_Failures, _Failures]:
        """The failures that are tried again, and those that are parked."""
        failed: _Failures = {}
        parked: _Failures = {}
        for key, error in self.failures.items():
            leased = self.objects[key]
            # From its beginning, since a settlement that fails is begun anew.
            leased.failures = self._failed_before[key] + (not is_held_back(error))
            outcome = parked if policy.gives_up(error, leased.failures) else failed
            outcome[key] = error
        return failed, parked

    def _report(self, outcome: Outcome, overtaken: Collection[str]) -> None:
        publisher, using = publisher_for(self.label), self.lease.using
        sender = publisher.model if publisher else None
        for key, error in outcome.parked.items():
            logger.error("%s %s is parked: %s", self.label, key, reason_of(error))
        for key, error in outcome.failed.items():
            logger.warning("%s %s will be tried again: %s", self.label, key, reason_of(error))
        for key in sorted(overtaken):
            logger.warning(
                "the lease of %s %s ran out while it was sent; it will be sent again", self.label, key
            )
        if outcome.done:
            signals.changes_published.send_robust(sender, keys=[*outcome.done], using=using)
        refused = (signals.changes_failed, outcome.failed), (signals.changes_parked, outcome.parked)
        for signal, reasons in refused:
            if reasons:
                signal.send_robust(sender, keys=list(reasons), using=using, reasons=reasons)


def _is_out_of_reach(failure: Exception) -> bool:
    return isinstance(failure, TransportException) and failure.out_of_reach

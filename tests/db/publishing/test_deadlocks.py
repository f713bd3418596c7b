"""Workers that lock the same rows from opposite sides: one of them begins anew, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, transaction

from django_stream.client.exceptions import ConnectionFailed
from django_stream.database.deadlocks import retry_on_deadlock
from django_stream.models import OutboxEntry, Publication
from django_stream.publishing import ledger
from django_stream.publishing.leases import Lease, claim
from django_stream.publishing.nudge import nudges_held
from django_stream.publishing.publisher import Change
from django_stream.publishing.retry import RetrySchedule
from django_stream.publishing.settlement import Outcome, settle
from django_stream.tracking import drain
from tests.db.publishing.concurrency import alone, is_stuck, patience
from tests.faults import BreakingTransport, Clock, client_over, meanwhile
from tests.services.processes import wait_until
from tests.testapp.models import Tag

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("row_locks"),
]

FeedOf = Callable[..., list[dict[str, Any]]]
LABEL = "testapp.Tag"


@pytest.mark.parametrize(
    ("overtaken_waits", "claimer_waits"), [("1ms", "10s"), ("10s", "500ms")], ids=["overtaken", "claimer"]
)
def test_an_overtaken_worker_meets_one_who_claims(
    overtaken_waits: str,
    claimer_waits: str,
    ada: User,
    grace: User,
    clock: Clock,
    feed_of: FeedOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It holds b, and enters a again; the other has just entered a, and waits for b."""
    tell, pids, claims = ledger.reopen, [], []  # type: ignore[var-annotated]

    def a_goes_and_comes_back() -> None:
        clock.forward(minutes=6)
        Tag.objects.get(name="a").delete()
        Tag.objects.filter(name="b").update(user=grace)
        assert drain(clock=clock).published == 2
        Tag.objects.create(name="a", user=grace)
        Tag.objects.get(name="b").save()

    def claim_meanwhile(*given: Any) -> None:
        if not claims:
            work = lambda: claim("default", clock(), 100)  # noqa: E731
            claims.append(pool.submit(alone, work, pids, waits=claimer_waits))
            wait_until(lambda: is_stuck(pids), "the claim waits for b", within=30)
        tell(*given)

    monkeypatch.setattr(ledger, "reopen", claim_meanwhile)
    with ThreadPoolExecutor(1) as pool, nudges_held():
        Tag.objects.bulk_create([Tag(name=name, user=ada) for name in "ab"])
        patience(overtaken_waits)
        drain(client=client_over(BreakingTransport(meanwhile(a_goes_and_comes_back))), clock=clock)
    patience("1s")
    # What the overtaken worker sent late is in the feed of ada, and whoever claimed has died.
    # A claim that began anew may find the entries still locked, and leaves them to a later drain.
    lease = claims[0].result()
    assert lease is None or sorted(lease.objects[LABEL]) == ["a", "b"]
    clock.forward(minutes=6)
    drain(clock=clock)

    assert feed_of("user", ada) == []
    assert [entry["object"] for entry in feed_of("user", grace)] == ["testapp.Tag:a", "testapp.Tag:b"]
    assert not OutboxEntry.objects.exists()
    assert Publication.objects.filter(lease=None, attempts=0).count() == 2


def test_two_who_settle_the_same_entries_meet_each_other(ada: User, clock: Clock, feed_of: FeedOf) -> None:
    """For one of them a is done and b is not, for the other it is the opposite."""
    both_have_deleted, arrived = threading.Barrier(2), []

    class AfterBothHaveDeleted(RetrySchedule):
        """What failed is given its delay after the entries of what is done have been deleted."""

        def delay(self, failure: Exception, attempts: int) -> timedelta:
            arrived.append(failure)
            if len(arrived) <= 2:
                both_have_deleted.wait(30)
            return super().delay(failure, attempts)

    def settle_one(lease: Lease | None, done: str, failed: str) -> None:
        assert lease is not None
        policy = AfterBothHaveDeleted.from_settings()
        gone = {done: Change(done, [], None, confirmed=False)}
        refused: dict[str, Exception] = {failed: ConnectionFailed("the line is dead")}
        settle(lease, LABEL, Outcome(gone, refused, {}), tuple, clock(), policy)

    with nudges_held():
        Tag.objects.bulk_create([Tag(name=name, user=ada) for name in "ab"])
    overtaken = claim("default", clock(), 100)
    clock.forward(minutes=6)
    successor = claim("default", clock(), 100)
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(alone, lambda: settle_one(successor, "b", "a"), [])
        settle_one(overtaken, "a", "b")
        other.result()
    assert len(arrived) >= 3, "one of them began anew, or both where each saw the deadlock first"

    clock.forward(hours=2)
    drain(clock=clock)
    assert len(feed_of("user", ada)) == 2
    assert not OutboxEntry.objects.exists()


class Deadlock(Exception):
    sqlstate = "40P01"


@pytest.mark.parametrize(("inside", "times"), [(False, 41), (True, 1)])
def test_nothing_is_repeated_for_ever_or_inside_a_transaction(
    inside: bool, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("django_stream.database.deadlocks.time.sleep", pauses.append)
    tries = []

    @retry_on_deadlock
    def lose() -> None:
        tries.append(1)
        raise OperationalError from Deadlock()

    with pytest.raises(OperationalError), transaction.atomic() if inside else nullcontext():
        lose()
    assert len(tries) == times
    assert sum(pauses) < 15, "somebody waits for the answer"

"""Others may be faster with what was due: the drain goes on with the rest, and never for ever."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from django_stream.models import OutboxEntry
from django_stream.publishing import ledger
from django_stream.publishing.leases import claim
from django_stream.publishing.nudge import nudges_held
from django_stream.publishing.report import DrainReport
from django_stream.tracking import drain
from tests.db.publishing.concurrency import alone, is_stuck
from tests.faults import Clock
from tests.services.processes import wait_until
from tests.testapp.models import Tag

FeedOf = Callable[..., list[dict[str, Any]]]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("row_locks")
def test_a_drain_that_was_too_late_goes_on_with_what_is_left(
    ada: User, clock: Clock, feed_of: FeedOf, settings: Any
) -> None:
    settings.STREAM_OUTBOX_BATCH_SIZE = 1
    with nudges_held():
        Tag.objects.create(name="a", user=ada).save()
        Tag.objects.create(name="b", user=ada)
    pids: list[int] = []

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            # It locks one entry of a; the other entry leads the second worker to a as well.
            assert claim("default", clock(), 1)
            second = pool.submit(alone, lambda: drain(clock=clock), pids)
            wait_until(lambda: is_stuck(pids), "the second worker waits for a", within=30)
        assert second.result().published == 1

    assert [entry["object"] for entry in feed_of("user", ada)] == ["testapp.Tag:b"]
    assert set(OutboxEntry.objects.values_list("object_key", flat=True)) == {"a"}


@pytest.mark.django_db
def test_a_drain_that_is_always_too_late_ends(
    ada: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    Tag.objects.create(name="a", user=ada)
    races = []

    def others_have_it(*given: Any, **more: Any) -> dict[str, Any]:
        races.append(given)
        return {}

    monkeypatch.setattr(ledger, "take", others_have_it)

    assert drain(clock=clock) == DrainReport()
    assert 1 < len(races) < 100

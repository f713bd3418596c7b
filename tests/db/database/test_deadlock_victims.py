"""Whatever owns a transaction and was the victim of a deadlock is done again, as if nothing had been."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone

from django_stream.models import OutboxEntry, Publication
from django_stream.publishing.leases import claim
from django_stream.publishing.nudge import nudges_held
from django_stream.publishing.parking import retry_parked
from django_stream.server.fanout import jobs
from django_stream.server.models import Activity, FanoutJob, Feed, Placement, TimelineEntry
from django_stream.tracking import drain
from tests.contract.calling import follow, ids, post
from tests.plain_sql import plain
from tests.testapp.models import Tag

pytestmark = pytest.mark.django_db(transaction=True)


class Deadlock(Exception):
    sqlstate = "40P01"


class Victim:
    """Kills the first statement that matches, as a database does with the victim of a deadlock."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.deaths = 0

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        if not self.deaths and re.match(self.pattern, plain(sql)):
            self.deaths += 1
            raise OperationalError from Deadlock()
        return execute(sql, *rest)


def survives(work: Callable[[], Any], pattern: str) -> Any:
    victim = Victim(pattern)
    with connection.execute_wrapper(victim):
        found = work()
    assert victim.deaths == 1, f"no statement began with {pattern}"
    return found


@pytest.fixture
def tag(ada: User) -> Tag:
    with nudges_held():
        return Tag.objects.create(name="a", user=ada)


def test_a_claim(tag: Tag) -> None:
    lease = survives(
        lambda: claim("default", timezone.now(), 10), f'(?s).*INTO "{Publication._meta.db_table}"'
    )
    assert lease is not None
    assert list(lease.objects["testapp.Tag"]) == ["a"]


@pytest.mark.parametrize(
    "statement",
    [f'UPDATE "{Publication._meta.db_table}"', f'DELETE FROM "{OutboxEntry._meta.db_table}"'],
    ids=["intent", "settlement"],
)
def test_the_steps_of_a_drain(tag: Tag, statement: str, feed_of: Any) -> None:
    report = survives(drain, statement)
    assert (report.published, report.failed) == (1, 0)
    assert len(feed_of("user", tag.user)) == 1
    assert not OutboxEntry.objects.exists()


def test_a_retry_of_what_is_parked(tag: Tag) -> None:
    OutboxEntry.objects.update(parked_at=timezone.now(), attempts=9)
    assert survives(retry_parked, f'UPDATE "{OutboxEntry._meta.db_table}"') == 1
    assert OutboxEntry.objects.get().attempts == 0


def test_a_call_of_the_api() -> None:
    made = survives(lambda: post("user:1"), f'INSERT INTO "{Placement._meta.db_table}"')
    assert ids("user:1") == [made["id"]]
    assert Activity.objects.count() == 1


def test_a_chunk_of_a_fanout() -> None:
    made = post("user:1")
    follow("timeline:1", "user:1")
    TimelineEntry.objects.filter(via__gt=0).delete()
    job = FanoutJob.objects.create(
        feed=Feed.objects.get(slug="user").pk,
        keys=[str(Activity.objects.get().key)],
        change=FanoutJob.Change.PLACED,
        touched_at=timezone.now(),
    )
    survives(lambda: jobs.run(job.pk), f'DELETE FROM "{FanoutJob._meta.db_table}"')
    assert ids("timeline:1") == [made["id"]]
    assert not FanoutJob.objects.exists()

"""Whatever owns a transaction and was the victim of a deadlock is done again, as if nothing had been."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.db.models import Model
from django.utils import timezone

import django_stream
from django_stream.models import OutboxEntry, Publication
from django_stream.operations.persons.tables import _forget_mirrored, erase_ledger
from django_stream.operations.repair import _write_down
from django_stream.protocol.persons import Person
from django_stream.publishing.leases import claim, claim_objects
from django_stream.publishing.nudge import nudges_held
from django_stream.publishing.parking import discard, park, retry_parked
from django_stream.server.actions import reaction_jobs, removal_jobs
from django_stream.server.conf import server_settings
from django_stream.server.fanout import jobs
from django_stream.server.files import deletions
from django_stream.server.inspection import ServerInspection
from django_stream.server.maintenance import heal_orphans, rebuild
from django_stream.server.models import (
    Activity,
    ActivityGroup,
    FanoutJob,
    Feed,
    FeedListening,
    FileDeletion,
    Follow,
    FormerGroupEntry,
    GroupChange,
    MarkJob,
    Placement,
    PulledPlacement,
    Reaction,
    ReactionCount,
    ReactionJob,
    RemovalJob,
    StreamEvent,
    TimelineEntry,
    UnfollowJob,
)
from django_stream.server.streams import log
from django_stream.server.streams.feed_listeners import _lease
from django_stream.server.timelines import group_marks, timelines, unfollows
from django_stream.tracking import drain
from tests.contract.calling import Api, follow, ids, post
from tests.plain_sql import plain
from tests.testapp.models import Tag

api = Api()
pytestmark = pytest.mark.django_db(transaction=True)


Test = TypeVar("Test", bound=Callable[..., None])
tested: set[str] = set()


def of(name: str) -> Callable[[Test], Test]:
    """Said of a test: it shows that this function begins anew."""
    work = resolve_name(f"django_stream.{name}")
    tested.add(f"{work.__module__}.{work.__name__}")
    return lambda test: test


def test_each_that_begins_anew_has_its_test() -> None:
    package, found = Path(django_stream.__file__).parent, set()
    for path in package.rglob("*.py"):
        module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        names = re.findall(r"@retry_on_deadlock\n *def (\w+)", path.read_text())
        found |= {f"{module}.{name}" for name in names}
    assert found - tested == set()


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


@of("publishing.leases._claim")
def test_a_claim(tag: Tag) -> None:
    lease = survives(
        lambda: claim("default", timezone.now(), 10), f'(?s).*INTO "{Publication._meta.db_table}"'
    )
    assert lease is not None
    assert list(lease.objects["testapp.Tag"]) == ["a"]


@of("publishing.batch.Batch._write_intent")
@of("publishing.settlement.settle")
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


@of("publishing.parking.retry_parked")
def test_a_retry_of_what_is_parked(tag: Tag) -> None:
    OutboxEntry.objects.update(parked_at=timezone.now(), attempts=9)
    assert survives(retry_parked, f'UPDATE "{OutboxEntry._meta.db_table}"') == 1
    assert OutboxEntry.objects.get().attempts == 0


@of("publishing.parking.park")
@of("publishing.parking.discard")
def test_what_is_given_up_or_forgotten(tag: Tag) -> None:
    table = OutboxEntry._meta.db_table
    assert survives(lambda: park(OutboxEntry.objects.all(), "why"), f'UPDATE "{table}"') == 1
    later = timezone.now() + timedelta(days=1)
    assert survives(lambda: discard(OutboxEntry.objects.all(), later), f'DELETE FROM "{table}"') == 1
    assert not OutboxEntry.objects.exists()


@of("publishing.leases.claim_objects")
def test_a_claim_of_what_is_named(tag: Tag) -> None:
    lease = survives(
        lambda: claim_objects("testapp.Tag", ["a"], "default", timezone.now(), token=uuid4()),
        f'(?s).*INTO "{Publication._meta.db_table}"',
    )
    assert list(lease.objects["testapp.Tag"]) == ["a"]


@of("server.dispatch._perform")
def test_a_call_of_the_api() -> None:
    made = survives(lambda: post("user:1"), f'INSERT INTO "{Placement._meta.db_table}"')
    assert ids("user:1") == [made["id"]]
    assert Activity.objects.count() == 1


@pytest.fixture
def made() -> str:
    """An activity that a flat and a grouped feed get by following, and a reaction to it."""
    for name in ("timeline:1", "notification:1"):
        follow(name, "user:1")
    activity: str = post("user:1", foreign_id="a")["id"]
    api.react(activity, id="r1")
    return activity


def feed(name: str) -> Feed:
    slug, user_id = name.split(":")
    return Feed.objects.get(slug=slug, user_id=user_id)


def insert(model: type[Model]) -> str:
    return f'INSERT INTO "?{model._meta.db_table}"?\\b'


def delete(model: type[Model]) -> str:
    return f'DELETE FROM "?{model._meta.db_table}"?\\b'


@of("server.fanout.jobs.run_chunk")
@pytest.mark.usefixtures("made")
def test_a_chunk_of_a_fanout() -> None:
    number, shown = feed("user:1").pk, ids("timeline:1")
    TimelineEntry.objects.filter(via=number).delete()
    job = FanoutJob.objects.create(
        feed=number,
        keys=[str(Activity.objects.get().key)],
        change=FanoutJob.Change.PLACED,
        touched_at=timezone.now(),
    )
    survives(lambda: jobs.run(job.pk), delete(FanoutJob))
    assert ids("timeline:1") == shown
    assert not FanoutJob.objects.exists()


@of("server.actions.removal_jobs.run_step")
@pytest.mark.usefixtures("made")
def test_a_step_of_a_removal() -> None:
    job = RemovalJob.objects.create(
        feed=feed("user:1").pk,
        foreign_id="a",
        before=UUID(int=2**128 - 1),
        posted_until=2**62,
        touched_at=timezone.now(),
    )
    survives(lambda: removal_jobs.run(job.pk), delete(RemovalJob))
    assert ids("user:1") == ids("timeline:1") == []


@of("server.files.deletions._claim")
def test_a_step_of_deleted_files() -> None:
    FileDeletion.objects.create(name="stream/1/a/b.txt", application_id=1)
    assert survives(deletions.delete_due, f'UPDATE "{FileDeletion._meta.db_table}"').gone == 1


@of("server.actions.reaction_jobs.run_step")
@pytest.mark.usefixtures("made")
def test_a_step_below_a_reaction() -> None:
    job = ReactionJob.objects.create(root=Reaction.objects.get().pk, touched_at=timezone.now())
    survives(lambda: reaction_jobs.run(job.pk), delete(ReactionJob))
    assert not ReactionJob.objects.exists()


@of("server.timelines.activity_groups.fold")
@pytest.mark.usefixtures("made")
def test_the_grouping_of_a_feed() -> None:
    number = feed("notification:1").pk
    survives(lambda: timelines().settle(number), insert(ActivityGroup))
    assert ActivityGroup.objects.get(feed=number).activity_count == 1


@of("server.timelines.database.DatabaseTimelines.prune")
@pytest.mark.parametrize("model", [PulledPlacement, FormerGroupEntry, GroupChange])
def test_what_timelines_need_no_more(model: type[Model]) -> None:
    GroupChange.objects.create(feed=7, key=uuid4(), came_at=0)
    survives(timelines().prune, delete(model))
    assert not GroupChange.objects.exists()


@of("server.maintenance.rebuild")
def test_a_rebuild(made: str) -> None:
    survives(lambda: rebuild(feed("timeline:1")), delete(TimelineEntry))
    assert ids("timeline:1") == [made]


@of("server.inspection._agrees")
@of("server.inspection._Counters._compared")
@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("statement", [delete(TimelineEntry), f'UPDATE "{ReactionCount._meta.db_table}"'])
def test_a_comparison_with_the_record(statement: str) -> None:
    ReactionCount.objects.update(count=7)
    TimelineEntry.objects.filter(feed=feed("timeline:1").pk).delete()
    inspection = ServerInspection(server_settings.own_app_id)
    assert len(survives(lambda: [*inspection.faults(mend=True)], statement)) == 2
    assert [*inspection.faults(mend=False)] == []


@of("server.maintenance._delete_orphaned_placements")
@pytest.mark.usefixtures("made")
def test_a_feed_that_is_healed() -> None:
    Activity.objects.all().delete()
    assert survives(heal_orphans, delete(Placement)) == 3
    assert not Placement.objects.exists()


@of("server.timelines.unfollows.run_step")
@pytest.mark.usefixtures("made")
def test_a_step_of_what_an_unfollow_takes_along() -> None:
    source, target = feed("timeline:1"), feed("user:1")
    Follow.objects.filter(source=source, target=target).delete()
    job = UnfollowJob.objects.create(feeds=[source.pk], targets=[target.pk], touched_at=timezone.now())
    assert not survives(lambda: unfollows.run_step(job.pk), delete(UnfollowJob))
    assert ids("timeline:1") == []


@of("server.timelines.group_marks.run_step")
@pytest.mark.usefixtures("made")
def test_a_step_of_a_mark() -> None:
    assert api.ok("GET", "feed/notification/1/")["unseen"] == 1
    now = timezone.now()
    job = MarkJob.objects.create(
        feed=feed("notification:1").pk,
        change=MarkJob.Change.SEEN,
        before=UUID(int=2**128 - 1),
        until=now,
        touched_at=now,
    )
    assert not survives(lambda: group_marks.run_step(job.pk), delete(MarkJob))
    assert api.ok("GET", "feed/notification/1/")["unseen"] == 0


@pytest.fixture
def event() -> StreamEvent:
    return StreamEvent.objects.create(
        application=1, kind="user", object_id="a", op="create", data="{}", created_at=timezone.now()
    )


@of("server.streams.log.place_some")
@pytest.mark.usefixtures("event")
def test_places_of_events() -> None:
    assert survives(log.give_places, f'UPDATE "{StreamEvent._meta.db_table}"') == 1
    assert [one.position for one in log.after(0)] == [1]


@of("server.streams.log._prune_some")
@pytest.mark.usefixtures("event")
def test_old_events(settings: Any) -> None:
    settings.STREAM_SERVER_STREAMS_LOG_DAYS = 0.0
    assert survives(log.prune, delete(StreamEvent)) == 1
    assert log.state().pruned == log.state().newest == 1


@of("server.streams.feed_listeners._lease")
def test_who_begins_to_listen(settings: Any) -> None:
    settings.STREAM_SERVER_STREAMS_NOTICE_SECONDS = 0.0
    survives(lambda: _lease(server_settings.own_app_id), insert(FeedListening))
    assert FeedListening.objects.get().until > timezone.now()


@of("operations.repair._write_down")
def test_what_a_repair_is_about_to_mend() -> None:
    found = {"a": [{"feed": "user:1"}]}
    survives(
        lambda: _write_down("testapp.Tag", found, "default"),
        f'UPDATE "{Publication._meta.db_table}"',
    )
    assert (Publication.objects.get().records, Publication.objects.get().attempts) == (found["a"], 1)


@of("operations.persons.tables._forget")
def test_what_is_erased_from_the_ledger() -> None:
    Publication.objects.create(model_label="testapp.Tag", object_key="a", records=[{"feed": "user:1"}])
    person = Person(frozenset(), frozenset(), frozenset(["user:1"]))
    assert survives(lambda: erase_ledger(person, "default"), delete(Publication)) == 1
    assert not Publication.objects.exists()


@of("operations.persons.tables._forget_mirrored")
def test_what_is_erased_of_mirrored_rows(tag: Tag) -> None:
    Publication.objects.create(model_label="testapp.Tag", object_key="a")
    assert survives(lambda: _forget_mirrored("testapp.Tag", ["a"], "default"), delete(Publication)) == 1
    assert not OutboxEntry.objects.exists()


class Ended(Victim):
    """Likewise inside a transaction, all of which ends there, as on MariaDB."""

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        if not connection.in_atomic_block:
            return execute(sql, *rest)
        try:
            return super().__call__(execute, sql, *rest)
        except OperationalError:
            transaction.set_rollback(True)
            raise


@pytest.mark.usefixtures("made")
def test_a_mark_whose_transaction_ended_with_the_grouping() -> None:
    victim = Ended(f"SELECT feed, .?key.? FROM {GroupChange._meta.db_table}")
    with connection.execute_wrapper(victim):
        api.ok("GET", "feed/notification/1/", limit=0, mark_seen="true")
    assert victim.deaths == 1
    assert api.ok("GET", "feed/notification/1/", limit=0)["unseen"] == 0

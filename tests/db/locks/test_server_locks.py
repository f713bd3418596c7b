"""Whoever writes to the same feed, activity, reaction, user, entry or group waits for who came first."""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from django_stream.protocol.errors import ApiError
from django_stream.protocol.messages import Upload
from django_stream.protocol.persons import Person
from django_stream.server.actions import files, persons, reaction_jobs, reactions, removal_jobs, streams
from django_stream.server.aggregation.names import name_older
from django_stream.server.conf import server_settings
from django_stream.server.fanout import jobs
from django_stream.server.files import deletions, images
from django_stream.server.files.images import Resizing
from django_stream.server.inspection import ServerInspection
from django_stream.server.maintenance import heal_orphans, rebuild
from django_stream.server.models import (
    Activity,
    ActivityGroup,
    Application,
    AppStream,
    CollectionEntry,
    FanoutJob,
    Feed,
    FileDeletion,
    Follow,
    GroupChange,
    MarkJob,
    Placement,
    Reaction,
    ReactionCount,
    ReactionJob,
    RemovalJob,
    StoredFile,
    StreamEvent,
    StreamLog,
    StreamUser,
    TimelineEntry,
    UnfollowJob,
)
from django_stream.server.streams import log
from django_stream.server.timelines import group_marks, timelines, unfollows
from tests.contract.calling import Api, follow, ids, ok, post
from tests.db.locks.interleaving import meet

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("row_locks", "things"),
]

TIME = "2026-01-01T10:00:00"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NAMED = {"foreign_id": "a", "time": TIME}
api = Api()


@pytest.fixture
def things() -> None:
    """An activity with a target, what was said of it, and feeds that have it or may get it."""
    made = post("user:1", **NAMED, to=["topic:1"])
    post("user:3", foreign_id="old", time=TIME)
    Activity.objects.filter(foreign_id="old").update(group_names={})
    follow("timeline:1", "user:1")
    follow("notification:1", "user:1")
    for feed in ("user:2", "user:3", "topic:2", "aggregated:1"):
        gone = post(feed, foreign_id="b", time=TIME)["id"]
        ok("DELETE", f"feed/{feed.replace(':', '/')}/{gone}/")
    api.react(made["id"], id="r1", target_feeds=["user:2"])
    api.answer_to("r1", id="r2")
    ok("POST", "user/", {"id": "ann", "data": {"n": 0}})
    ok("POST", "collections/food/", {"id": "pie", "data": {"n": 0}})
    own = server_settings.own_app_id
    StoredFile.objects.create(application_id=own, key="large", name="large", size=1)
    StoredFile.objects.create(application_id=own, key="small", name="small", size=1, source="large")


def feed(name: str) -> Feed:
    slug, user_id = name.split(":")
    return Feed.objects.get(slug=slug, user_id=user_id)


def key() -> Any:
    return Activity.objects.get(foreign_id="a").key


def shown(foreign_id: str) -> str:
    return str(Activity.objects.get(foreign_id=foreign_id).activity_id)


def insert(model: type[models.Model]) -> str:
    return f'INSERT INTO "?{model._meta.db_table}"?\\b'


def update(model: type[models.Model]) -> str:
    return f'UPDATE "?{model._meta.db_table}"?\\b'


def delete(model: type[models.Model]) -> str:
    return f'DELETE FROM "?{model._meta.db_table}"?\\b'


def calls(method: str, path: str, body: Any = None, **query: Any) -> Callable[[], Any]:
    return lambda: ok(method, path, body, **query)


def posts(name: str, **fields: Any) -> Callable[[], Any]:
    return lambda: post(name, **{"foreign_id": "new", "time": TIME, **fields})


def sets(**fields: Any) -> Callable[[], Any]:
    return calls("POST", "activity/", {**NAMED, "set": fields})


def serves_a_chunk() -> bool:
    job = FanoutJob.objects.create(
        feed=feed("user:1").pk,
        keys=[str(key())],
        change=FanoutJob.Change.PLACED,
        touched_at=timezone.now(),
    )
    return jobs.run_chunk(job.pk)


def names_the_groups() -> None:
    with transaction.atomic():
        name_older(server_settings.own_app_id, "aggregated", [Activity.objects.get(foreign_id="old").key])


def heals() -> None:
    Activity.objects.filter(foreign_id="a").delete()
    heal_orphans()


def deletes_the_image() -> None:
    files.delete(StoredFile.objects.get(key="large"))


def makes_a_size() -> None:
    files.resize(StoredFile.objects.get(key="large"), Resizing(5, None))


def makes_no_size() -> None:
    with pytest.raises(ApiError):
        makes_a_size()


def deletes_its_size() -> None:
    files.delete(StoredFile.objects.get(key="small"))


def erases() -> None:
    for _ in persons.erase(
        server_settings.own_app_id, Person(frozenset("2"), frozenset(), frozenset(["user:2"]))
    ):
        pass


def mends_a_counter() -> None:
    wrong = ReactionCount.objects.get(kind="like")
    ReactionCount.objects.all().delete()
    wrong.count = 7
    wrong.save(force_insert=True)
    for _ in ServerInspection(server_settings.own_app_id).faults(mend=True):
        pass


def compares() -> None:
    for _ in ServerInspection(server_settings.own_app_id).faults(mend=False):
        pass


def brings_what_a_removal_takes() -> None:
    RemovalJob.objects.create(
        feed=feed("user:3").pk,
        foreign_id="a",
        before=uuid.UUID(int=2**128 - 1),
        posted_until=0,
        touched_at=timezone.now(),
    )
    ok("POST", "feed/add_to_many/", {"activity": {**many["activity"], **NAMED}, "feeds": ["user:3"]})


def ends_the_removal() -> None:
    removal_jobs.run_step(RemovalJob.objects.get().pk)


def deletes_softly(name: str) -> Callable[[], Any]:
    return calls("DELETE", f"reaction/{name}/", soft="true")


def deletes_with_what_is_below_its_children() -> None:
    api.answer_to("r2", id="r3")
    deletes_softly("r1")()


def restores_a_child() -> None:
    deletes_softly("r2")()
    reactions.restore(server_settings.own_app_id, "r2")


def does_a_step_below() -> None:
    job = ReactionJob.objects.create(
        root=Reaction.objects.get(reaction_id="r1").pk, touched_at=timezone.now()
    )
    reaction_jobs.run_step(job.root)


def takes_over() -> None:
    theirs = {"foreign_id": "theirs", "time": TIME}
    Api().as_user("5").post("user:5", **{**many["activity"], **theirs, "actor": "SU:5"})
    post("user:1", **theirs)


def makes_a_group(number: int) -> None:
    now = timezone.now()
    ActivityGroup.objects.create(feed=number, name="g", newest=uuid.uuid4(), created_at=now, updated_at=now)


def marks_groups(number: int = 7) -> None:
    group_marks.mark(number, unread="all")


def marks_a_group() -> None:
    makes_a_group(7)
    marks_groups()


def marks_the_rest() -> None:
    now = timezone.now()
    job = MarkJob.objects.create(
        feed=7, change=MarkJob.Change.READ, before=uuid.UUID(int=2**128 - 1), until=now, touched_at=now
    )
    group_marks.run_step(job.pk)


def forgets_a_feed() -> None:
    with transaction.atomic():
        timelines().forget(7)


def rebuilds_a_feed_that_was_grouped() -> None:
    makes_a_group(feed("timeline:1").pk)
    rebuild(feed("timeline:1"))


def makes_a_stream() -> None:
    fields = {"object_types": ["user"], "key": None, "filter_id": None}
    streams.create(server_settings.own_app_id, fields)


def makes_an_old_event() -> None:
    StreamLog.objects.create(pk=1)
    StreamEvent.objects.create(
        application=1, kind="user", object_id="a", op="create", data="{}", created_at=LONG_AGO
    )


def places_events() -> None:
    makes_an_old_event()
    log.place_some()


def drops_events() -> None:
    makes_an_old_event()
    log.prune()


many: dict[str, Any] = {"activity": {"actor": "a", "verb": "v", "object": "o"}, "feeds": ["user:1"]}
follows_one, unfollows_one = "feed/timeline/1/follows/", "feed/timeline/1/follows/user:1/"
targets = "feed_targets/user/1/activity_to_targets/"
replaced = {"activities": [{"actor": "c", "verb": "v", "object": "o", **NAMED}]}
decided = {"target_feeds": ["user:3"], "data": {"n": 1}}

MEETINGS: dict[str, tuple[Callable[[], Any], str, Callable[[], Any]]] = {
    "post, post": (posts("user:1", foreign_id="one"), insert(Placement), posts("user:1")),
    "post to a feed that is made, post": (
        posts("user:new", foreign_id="one"),
        insert(Placement),
        posts("user:new"),
    ),
    "post to a target, post": (
        posts("user:3", foreign_id="one", to=["topic:1"]),
        insert(Placement),
        posts("topic:1"),
    ),
    "add to many, post": (calls("POST", "feed/add_to_many/", many), insert(Placement), posts("user:1")),
    "remove, post": (calls("DELETE", "feed/user/1/a/", foreign_id=1), delete(Placement), posts("user:1")),
    "remove, post to a target": (
        calls("DELETE", "feed/user/1/a/", foreign_id=1),
        delete(Placement),
        posts("topic:1"),
    ),
    "retarget, post to the new target": (
        calls("POST", targets, {**NAMED, "new_targets": ["topic:2"]}),
        delete(Placement),
        posts("topic:2"),
    ),
    "follow, post": (
        calls("POST", "feed/timeline/2/follows/", {"target": "user:1"}),
        insert(Follow),
        posts("user:1"),
    ),
    "unfollow, post": (calls("DELETE", unfollows_one), delete(Follow), posts("user:1")),
    "unfollow and keep, post": (
        calls("DELETE", unfollows_one, keep_history="true"),
        update(Follow),
        posts("user:1"),
    ),
    "chunk, unfollow": (serves_a_chunk, insert(TimelineEntry), calls("DELETE", unfollows_one)),
    "chunk, post": (serves_a_chunk, insert(TimelineEntry), posts("user:1")),
    "rebuild, post to it": (
        lambda: rebuild(feed("timeline:1")),
        delete(TimelineEntry),
        posts("timeline:1"),
    ),
    "rebuild, post to a followed feed": (
        lambda: rebuild(feed("timeline:1")),
        delete(TimelineEntry),
        posts("user:1"),
    ),
    "heal, post": (heals, delete(Placement), posts("topic:1")),
    "change an activity, change it": (sets(n=1), update(Activity), sets(n=2)),
    "replace an activity, change it": (
        calls("POST", "activities/", replaced),
        update(Activity),
        sets(n=2),
    ),
    "post it again, post it elsewhere": (
        posts("user:1", **NAMED, verb="one"),
        update(Activity),
        posts("user:3", **NAMED, verb="two"),
    ),
    "name its groups, change it": (
        names_the_groups,
        update(Activity),
        calls("POST", "activity/", {"foreign_id": "old", "time": TIME, "set": {"n": 2}}),
    ),
    "group an activity, read it": (
        calls("GET", "feed/notification/1/"),
        insert(ActivityGroup),
        calls("GET", "feed/notification/1/"),
    ),
    "change a reaction, change it": (
        calls("PUT", "reaction/r1/", {"data": {"n": 1}}),
        update(Reaction),
        calls("PUT", "reaction/r1/", {"data": {"n": 2}}),
    ),
    "change a reaction without targets, change it": (
        calls("PUT", "reaction/r2/", {"data": {"n": 1}}),
        update(Reaction),
        calls("PUT", "reaction/r2/", {"data": {"n": 2}}),
    ),
    "delete a reaction softly, change a child": (
        calls("DELETE", "reaction/r1/", soft="true"),
        update(Reaction),
        lambda: api.call("PUT", "reaction/r2/", {"data": {"n": 2}}).status,
    ),
    "delete a reaction softly, change what is below its child": (
        deletes_with_what_is_below_its_children,
        update(Reaction),
        lambda: api.call("PUT", "reaction/r3/", {"data": {"n": 2}}).status,
    ),
    "answer a reaction, delete it": (
        lambda: api.answer_to("r1", id="r3"),
        insert(Reaction),
        calls("DELETE", "reaction/r1/"),
    ),
    "restore a child, delete its parent": (
        restores_a_child,
        f"{update(Reaction)}.*deleted_at.* = NULL",
        deletes_softly("r1"),
    ),
    "a step below a reaction, change it": (
        does_a_step_below,
        delete(ReactionJob),
        calls("PUT", "reaction/r1/", {"data": {"n": 2}}),
    ),
    "take over an activity, post where it was": (takes_over, delete(Placement), posts("user:5")),
    "change targets of a reaction, post to the new one": (
        calls("PUT", "reaction/r1/", decided),
        update(Reaction),
        posts("user:3"),
    ),
    "erase a recipient of a reaction, change it": (
        erases,
        update(Reaction),
        calls("PUT", "reaction/r1/", {"data": {"n": 2}}),
    ),
    "erase a feed, post to it": (erases, delete(Feed), posts("user:2")),
    "mend a counter, react": (mends_a_counter, update(ReactionCount), lambda: api.react(shown("a"))),
    "compare a feed, post to it": (
        compares,
        f'SELECT .+ FROM "{FanoutJob._meta.db_table}"',
        posts("topic:1"),
    ),
    "bring what a removal takes, end the removal": (
        brings_what_a_removal_takes,
        update(RemovalJob),
        ends_the_removal,
    ),
    "change a user, change it": (
        calls("PUT", "user/ann/", {"data": {"n": 1}}),
        update(StreamUser),
        calls("PUT", "user/ann/", {"data": {"n": 2}}),
    ),
    "delete a user, create it": (
        calls("DELETE", "user/ann/"),
        delete(StreamUser),
        calls("POST", "users/", {"users": [{"id": "ann", "data": {"n": 2}}], "override": True}),
    ),
    "change an entry, change it": (
        calls("PUT", "collections/food/pie/", {"data": {"n": 1}}),
        update(CollectionEntry),
        calls("PUT", "collections/food/pie/", {"data": {"n": 2}}),
    ),
    "delete an entry, replace it": (
        calls("DELETE", "collections/food/pie/"),
        delete(CollectionEntry),
        calls("POST", "collections/", {"data": {"food": [{"id": "pie", "n": 2}]}}),
    ),
    "make a size of an image, delete the image": (makes_a_size, insert(StoredFile), deletes_the_image),
    "delete an image, make a size of it": (
        deletes_the_image,
        delete(StoredFile),
        makes_no_size,
    ),
    "delete all files, make a size of one": (
        lambda: StoredFile.objects.all().delete(),
        delete(StoredFile),
        makes_no_size,
    ),
    "delete an image, delete its size": (deletes_the_image, delete(StoredFile), deletes_its_size),
    "mark groups, mark them": (marks_a_group, update(ActivityGroup), marks_groups),
    "a step of a mark, mark them": (marks_the_rest, update(ActivityGroup), marks_groups),
    "forget a feed, mark its groups": (forgets_a_feed, delete(TimelineEntry), marks_groups),
    "rebuild a feed that was grouped, mark its groups": (
        rebuilds_a_feed_that_was_grouped,
        update(ActivityGroup),
        lambda: marks_groups(feed("timeline:1").pk),
    ),
    "make a stream, make another": (makes_a_stream, insert(AppStream), makes_a_stream),
    "place events, place them": (places_events, update(StreamEvent), log.place_some),
    "drop events, place others": (drops_events, delete(StreamEvent), log.place_some),
}


@pytest.mark.usefixtures("app_streams")
@pytest.mark.parametrize("meeting", MEETINGS)
def test_the_second_writer_waits_for_the_first(
    meeting: str, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(images, "resized", lambda file, resizing: (io.BytesIO(b"x"), "image/png"))
    storages["default"].save("large", ContentFile(b"x"))
    monkeypatch.setattr(storages["default"], "delete", lambda name: None)
    first, before, second = MEETINGS[meeting]
    assert meet(first, before, second).waited
    assert ids("user:1") is not None
    # A copy of an image that is gone would stay readable.
    sources = set(StoredFile.objects.exclude(source="").values_list("source", flat=True))
    assert sources <= set(StoredFile.objects.values_list("key", flat=True))


@pytest.mark.parametrize(
    "write",
    [sets(actor="new"), sets(verb="new"), calls("DELETE", unfollows_one)],
    ids=["another actor", "another verb", "unfollowed"],
)
@pytest.mark.parametrize("before", [insert(ActivityGroup), update(ActivityGroup)])
def test_no_writer_waits_for_a_reader_and_the_next_reader_sees_what_was_written(
    before: str, write: Callable[[], Any]
) -> None:
    reads = calls("GET", "feed/notification/1/")
    meeting = meet(reads, before, write)
    assert not meeting.waited
    found = ok("GET", "feed/notification/1/")["results"]
    rebuild(feed("notification:1"))
    assert ok("GET", "feed/notification/1/")["results"] == found


def test_what_is_posted_while_its_group_is_marked_is_unseen() -> None:
    assert ok("GET", "feed/notification/1/")["unseen"] == 1
    marks = calls("GET", "feed/notification/1/", mark_seen="true")
    assert not meet(marks, update(ActivityGroup), posts("user:1", verb="tweet")).waited
    assert ok("GET", "feed/notification/1/")["unseen"] == 1


def test_two_who_read_and_mark_in_one_transaction_take_turns(caplog: pytest.LogCaptureFixture) -> None:
    """As under ATOMIC_REQUESTS: the second comes between the steps of the first, which sees its change."""
    # So many notes of other feeds that those of this one are found by their index, in the order of keys.
    others = [GroupChange(feed=n, key=uuid.uuid4(), came_at=0) for n in range(10_000, 13_000)]
    GroupChange.objects.bulk_create(others)
    with connection.cursor() as cursor:
        table = "TABLE " if connection.vendor == "mysql" else ""
        cursor.execute(f"ANALYZE {table}{GroupChange._meta.db_table}")
    earlier = "2026-01-01T09:00:00"
    post("user:1", foreign_id="liked", verb="like", time=earlier)
    assert len(ok("GET", "feed/notification/1/")["results"]) == 2

    def reads_and_marks(verb: str, time: str) -> Callable[[], None]:
        def both() -> None:
            post("user:1", foreign_id=f"another {verb}", verb=verb, time=time)
            with transaction.atomic():
                ok("GET", "feed/notification/1/")
                ok("GET", "feed/notification/1/", mark_seen="true")

        return both

    meeting = meet(reads_and_marks("tweet", TIME), r"SELECT w\.unseen", reads_and_marks("like", earlier))
    assert meeting.waited
    assert caplog.text == "", "a deadlock, and its victim sees the groups as they are"
    found = ok("GET", "feed/notification/1/")
    assert (found["unseen"], [group["activity_count"] for group in found["results"]]) == (0, [2, 2])


def test_who_reads_inside_a_transaction_waits_for_no_other_reader() -> None:
    def reads() -> Any:
        with transaction.atomic():
            return ok("GET", "feed/notification/1/")["results"]

    meeting = meet(reads, insert(ActivityGroup), reads)
    assert (len(meeting.first), len(meeting.second), meeting.waited) == (1, 0, False)
    assert ok("GET", "feed/notification/1/")["results"] == meeting.first


def test_a_chunk_and_an_unfollow_leave_nothing_behind() -> None:
    """The chunk would bring back what the unfollow had taken away."""
    TimelineEntry.objects.filter(feed=feed("timeline:1").pk).delete()
    meet(serves_a_chunk, insert(TimelineEntry), calls("DELETE", unfollows_one))
    assert ids("timeline:1") == []


def test_who_follows_again_waits_for_a_step_of_what_leaves() -> None:
    source, target = feed("timeline:1"), feed("user:1")
    before = ids("timeline:1")
    assert before
    Follow.objects.filter(source=source, target=target).delete()
    job = UnfollowJob.objects.create(feeds=[source.pk], targets=[target.pk], touched_at=timezone.now())
    met = meet(
        lambda: unfollows.run_step(job.pk),
        'DELETE FROM "django_stream_server_timelineentry"',
        lambda: follow("timeline:1", "user:1", activity_copy_limit=100),
    )
    assert met.waited
    assert ids("timeline:1") == before


def test_two_who_delete_files_at_once_do_not_wait_and_share_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storages["default"], "delete", lambda name: None)
    FileDeletion.objects.create(name="a", application_id=1)
    meeting = meet(deletions.delete_due, update(FileDeletion), deletions.delete_due)
    assert not meeting.waited
    assert (meeting.first.gone, meeting.second.gone) == (1, 0)


def test_nothing_is_uploaded_to_an_application_that_goes() -> None:
    """Its row would go with the application, and the bytes stay."""
    application = Application.objects.create()

    def uploads() -> str:
        try:
            files.store(application.pk, "", Upload("a.txt", io.BytesIO(b"x"), "text/plain"))
        except IntegrityError:
            return "there is no such application"
        return "stored"

    meeting = meet(application.delete, 'DELETE FROM "django_stream_server_application"', uploads)
    assert (meeting.waited, meeting.second) == (True, "there is no such application")
    assert not StoredFile.objects.filter(application=application.pk).exists()

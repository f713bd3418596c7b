"""What differs between tables and feeds is found, told by kind, and mended; what agrees is left alone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from django_stream.activities.ids import encoded
from django_stream.activities.kinds import publishers_for
from django_stream.activities.owners import feed_id, names_itself
from django_stream.activities.publishers.mirrors import (
    CollectionDeclaration,
    CollectionPublisher,
    MirrorDeclaration,
    UserPublisher,
)
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.backends import get_client
from django_stream.feeds import feed_manager
from django_stream.models import OutboxEntry, Publication
from django_stream.operations.comparison import Difference
from django_stream.operations.repair import repair
from django_stream.operations.verify import verify
from django_stream.publishing.publisher import publishers_of
from django_stream.server.conf import server_settings
from django_stream.server.inspection import ServerInspection
from django_stream.server.models import (
    Activity,
    ActivityGroup,
    ChildCount,
    CollectionEntry,
    FanoutJob,
    Feed,
    Follow,
    Reaction,
    ReactionCount,
    StreamUser,
    TimelineEntry,
)
from django_stream.server.timelines import timelines
from django_stream.testing import drain_outbox
from django_stream.tracking import activities_paused
from tests.db.publishing.test_property import make_site
from tests.expected_feeds import check_feeds
from tests.testapp.models import Album, Article, Comment, Member, Moment, Opinion, Subscription, Tag, Whisper

pytestmark = pytest.mark.django_db(databases=["default", "other"])

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
Drift = Callable[[], Any]


def run(*args: str) -> list[dict[str, Any]]:
    """The lines of a command, whatever its exit code."""
    out = StringIO()
    with suppress(CommandError):
        call_command(*args, "--json", stdout=out, stderr=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def found(*args: str) -> list[tuple[str, str]]:
    """Kinds and places of the differences."""
    return sorted((line["kind"], line["place"]) for line in run("stream_verify", *args) if "place" in line)


def feed(user: User) -> Any:
    return get_client().feed("user", user.pk)


def first(model: Any = Article) -> Any:
    return model.objects.order_by("pk").first()


def activity_of(article: Article) -> Any:
    name = f"testapp.Article:{article.pk}"
    (one,) = (one for one in feed(article.author).get(limit=100)["results"] if one["foreign_id"] == name)
    return one


@pytest.fixture
def site(db: None) -> None:
    make_site()
    Member.objects.create(email="m@example.org", name="Mia")
    Album.objects.create(owner=first(User), title="Blue")
    drain_outbox()
    get_client().reactions.add_child("like", reaction_id(), 4799)


def feeds_equal_tables() -> None:
    """By what other code makes of the tables; that does not know albums."""
    Album.objects.all().delete()
    drain_outbox()
    check_feeds([*User.objects.values_list("pk", flat=True), 4711])


def lost_activity() -> None:
    article = first()
    feed(article.author).remove_activity(foreign_id=f"testapp.Article:{article.pk}")


def foreign_activity() -> None:
    client = get_client()
    ghost = {
        "actor": "x",
        "verb": "publish",
        "object": "y",
        "foreign_id": "testapp.Article:987",
        "time": START,
    }
    client.feed("user", User.objects.latest("pk").pk).add_activity(ghost)


def ghost_of_a_stranger() -> None:
    """On a feed that neither a table nor the ledger names."""
    ghost = {"actor": "x", "verb": "v", "object": "y", "foreign_id": "testapp.Comment:9", "time": START}
    get_client().feed("user", 4711).add_activity(ghost)


def other_content() -> None:
    changed = {**activity_of(first()), "title": "something else"}
    get_client().update_activities([changed])


def other_targets() -> None:
    article = first()
    one = activity_of(article)
    feed(article.author).update_activity_to_targets(one["foreign_id"], one["time"], new_targets=["user:4712"])


def other_feed() -> None:
    article = first()
    one = activity_of(article)
    feed(article.author).remove_activity(one["id"])
    feed(article.editor).add_activity({**one, "to": []})


def lost_follow() -> None:
    follow = first(Subscription)
    get_client().feed("timeline", follow.reader_id).unfollow("user", follow.writer_id)


def foreign_follow() -> None:
    get_client().feed("timeline", first(User).pk).follow("user", 4713)


def follow_of_a_stranger() -> None:
    get_client().feed("timeline", 4711).follow("user", first(User).pk)


def other_end_of_a_follow() -> None:
    """The same feed is followed by another one in its place."""
    lost_follow()
    get_client().feed("timeline", 4711).follow("user", first(Subscription).writer_id)


def other_user() -> None:
    get_client().users.update("testapp-member-_b32_nvagk6dbnvygyzjon5zgo", {"name": "Max"})


def lost_entry() -> None:
    get_client().collections.delete("albums", str(first(Album).pk))


def lost_reaction() -> None:
    get_client().reactions.delete(reaction_id())


def other_reaction() -> None:
    get_client().reactions.update(reaction_id(), data={"text": "awful"})


def hidden_reaction() -> None:
    get_client().reactions.delete(reaction_id(), soft=True)


def reaction_id() -> str:
    records = Publication.objects.filter(model_label="testapp.Opinion#reaction").order_by("pk")
    return str(records.first().records[0]["id"])


def extra_user() -> None:
    get_client().users.add("testapp-member-" + encoded("ghost@example.org"), {"name": "Ghost"})


def extra_entry() -> None:
    get_client().collections.add("albums", {"title": "Ghost"}, id="987654")


def extra_reaction() -> None:
    """Of the form of ours, and on an activity that is there; so many that they do not come all at once."""
    client, activity = get_client(), activity_of(first())["id"]
    for number in range(30):
        client.reactions.add("opinion", activity, "x", id=str(uuid5(NAMESPACE_URL, str(number))))


def extra_follow_among_many() -> None:
    """A feed with more follows than a page of the API lists."""
    place = f"timeline:{first(User).pk}"
    get_client().follow_many([{"source": place, "target": f"user:{one}"} for one in range(5000, 5120)])


def unknown_to_the_ledger() -> None:
    """What is extra, after a backup of the site was restored that is older than its feeds."""
    with activities_paused():
        for model in (Opinion, Album, Member):
            model.objects.all()._raw_delete("default")  # noqa: SLF001
    labels = ("testapp.Opinion#reaction", "testapp.Album#collection", "testapp.Album", "testapp.Member#user")
    Publication.objects.filter(model_label__in=labels).delete()


def rows_deleted() -> None:
    with activities_paused():
        Comment.objects.all()._raw_delete("default")  # noqa: SLF001


def rows_changed() -> None:
    with activities_paused():
        Article.objects.filter(pk=first().pk).update(title="by SQL", author=User.objects.latest("pk"))


def rows_moved_in_time() -> None:
    with activities_paused():
        Article.objects.filter(pk=first().pk).update(published_at=START + timedelta(hours=9))


def rows_added() -> None:
    with activities_paused():
        Article.objects.create(author=first(User), title="new", published_at=START)
        Subscription.objects.create(reader=first(User), writer=User.objects.latest("pk"))


def ledger_lost() -> None:
    Publication.objects.filter(model_label="testapp.Article").delete()
    lost_activity()


def timeline_entry_lost() -> None:
    number = Feed.objects.filter(slug="timeline", user_id=first(User).pk).get().pk
    TimelineEntry.objects.filter(feed=number).delete()


def group_miscounted() -> None:
    for feed in Feed.objects.values_list("pk", flat=True):
        timelines().settle(feed)
    ActivityGroup.objects.update(activity_count=77)


def reactions_miscounted() -> None:
    ReactionCount.objects.update(count=5)


def children_miscounted() -> None:
    ChildCount.objects.update(count=5)


def children_not_counted() -> None:
    ChildCount.objects.all().delete()


KINDS: dict[Drift, set[str]] = {
    lost_activity: {"missing"},
    foreign_activity: {"extra"},
    ghost_of_a_stranger: {"extra"},
    other_content: {"stale"},
    other_targets: {"stale"},
    other_feed: {"missing", "misplaced"},
    lost_follow: {"missing"},
    foreign_follow: {"extra"},
    follow_of_a_stranger: {"extra"},
    other_end_of_a_follow: {"missing", "extra"},
    other_user: {"stale"},
    lost_entry: {"missing"},
    lost_reaction: {"missing"},
    other_reaction: {"stale"},
    hidden_reaction: {"missing"},
    extra_user: {"extra"},
    extra_entry: {"extra"},
    extra_reaction: {"extra"},
    extra_follow_among_many: {"extra"},
    unknown_to_the_ledger: {"extra"},
    rows_deleted: {"extra"},
    rows_changed: {"missing", "misplaced"},
    rows_moved_in_time: {"missing", "extra"},
    rows_added: {"missing"},
    ledger_lost: {"missing"},
    timeline_entry_lost: {"server"},
    group_miscounted: {"server"},
    reactions_miscounted: {"server"},
    children_miscounted: {"server"},
    children_not_counted: {"server"},
}


@pytest.mark.usefixtures("site")
def test_a_site_whose_feeds_are_right_has_no_differences() -> None:
    before = list(Publication.objects.order_by("pk").values())
    lines = run("stream_verify")

    assert lines[-1] == {"summary": True, "ok": True, "differences": {}}
    compared = {line["kind"]: line["compared"] for line in lines if "compared" in line}
    assert compared.keys() == {"StreamUser", "Collection", "Activity", "Reaction", "Follows"}
    assert min(compared.values()) > 0
    assert run("stream_repair")[-1]["differences"] == {}
    assert list(Publication.objects.order_by("pk").values()) == before


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("drift", KINDS, ids=lambda drift: drift.__name__)
def test_every_kind_of_drift_is_found_and_mended(drift: Drift) -> None:
    drift()
    kinds = {kind for kind, _ in found()}
    assert kinds >= KINDS[drift]
    assert kinds - KINDS[drift] <= {"missing", "extra", "stale"}, "what hangs on it, such as reactions"
    planned = run("stream_repair", "--dry-run")
    assert {line["kind"] for line in planned if "place" in line} == kinds

    assert run("stream_repair")[-1]["ok"]

    assert found() == []
    assert run("stream_repair")[-1]["differences"] == {}
    feeds_equal_tables()


def of_other_programs() -> Callable[[], list[Any]]:
    """What looks like ours in part; returns what reads it."""
    client, activity = get_client(), activity_of(first())["id"]
    by_name = str(uuid5(NAMESPACE_URL, "somebody"))
    for one in ("mobile-7", "4711", "testapp-member-", "testapp-album-1", "testapp-nothing-1"):
        client.users.add(one, {"name": "of the app"})
    for name, entry, owner in (
        ("albums", "summer", None),
        ("albums", "007", None),
        ("albums", "987655", "4711"),
        ("playlists", "987654", None),
    ):
        client.collections.add(name, {"title": "of the app"}, id=entry, user_id=owner)
    client.reactions.add("opinion", activity, "x")
    client.reactions.add("opinion", activity, "x", id="by-hand")
    client.reactions.add("like", activity, "x", id=by_name)
    client.reactions.add_child("opinion", by_name, "x", id=str(uuid5(NAMESPACE_URL, "child")))
    client.follow_many([{"source": "timeline:4711", "target": "topic:1"}])
    client.feed("user", 4711).add_activity({"actor": "x", "verb": "v", "object": "y", "foreign_id": "app:1"})
    models: list[Any] = [StreamUser, CollectionEntry, Reaction, Follow, Activity]
    before = [set(model.objects.values_list("pk", flat=True)) for model in models]

    def gone() -> list[Any]:
        return [
            pks - set(model.objects.values_list("pk", flat=True))
            for model, pks in zip(models, before, strict=True)
        ]

    return gone


@pytest.mark.usefixtures("site")
def test_what_other_programs_keep_is_neither_told_nor_removed() -> None:
    gone = of_other_programs()
    assert found() == []
    for drift in (extra_user, extra_entry, extra_reaction, foreign_follow, foreign_activity):
        drift()
    ours = run("stream_repair")[-1]["differences"]
    assert ours == {"extra": 34}
    assert gone() == [set()] * 5
    assert found() == []


@pytest.mark.usefixtures("site")
def test_who_is_followed_without_a_table_stays_followed() -> None:
    """By a button or by code: no row of a follow model could mean it."""
    clubs = [Group.objects.create(name=name) for name in ("chess", "go")]
    user = User.objects.first()
    for club in clubs:
        feed_manager.follow_feed(club, "user", user)
    assert found() == []
    assert run("stream_repair")[-1]["differences"] == {}
    run("stream_sync", "--prune")
    for club in clubs:
        following = feed_manager.get_feed("timeline", club).following()["results"]
        assert [str(one["target_id"]) for one in following] == [str(feed_id("user", user))]


@pytest.mark.usefixtures("site")
def test_another_models_reactions_of_the_kind_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    (publisher,) = [one for one in publishers_of(Whisper) if isinstance(one, ReactionPublisher)]
    monkeypatch.setattr(publisher, "declaration", replace(publisher.declaration, kind="opinion"))
    said = Moment.objects.create(author=User.objects.first(), text="x")
    Whisper.objects.create(user=User.objects.last(), moment=said)
    drain_outbox()
    before = set(Reaction.objects.filter(kind="opinion").values_list("pk", flat=True))
    assert len(before) > Opinion.objects.count()
    for label in ("testapp.Opinion", "testapp.Whisper"):
        assert run("stream_repair", label)[-1]["differences"] == {}
    assert set(Reaction.objects.filter(kind="opinion").values_list("pk", flat=True)) == before


def test_a_name_that_may_be_anybodys_is_told_only_where_keys_are_no_words(db: None) -> None:
    get_client().users.add_many([{"id": "987654", "data": {}}, {"id": "bob", "data": {}}])
    users = UserPublisher(User, MirrorDeclaration(fields=("username",)))
    told = [(one.kind, one.thing, one.key) for one in verify([users])]
    assert told == [("extra", "987654", "987654")]

    tags = CollectionPublisher(Tag, CollectionDeclaration(name="tags"))
    get_client().collections.add("tags", {"n": 1}, id="summer")
    get_client().collections.add("tags", {"n": 1}, id=encoded("c/d e"))
    told = [(one.kind, one.thing, one.key) for one in verify([tags])]
    assert told == [("extra", encoded("c/d e"), "c/d e")]


def published_meanwhile() -> None:
    users = list(User.objects.order_by("pk"))
    Article.objects.create(author=users[0], title="soon", published_at=START)
    Opinion.objects.create(user=users[0], article=first(), text="soon")
    Album.objects.create(owner=users[0], title="Soon")
    Member.objects.create(email="soon@example.org", name="Soon")
    Subscription.objects.create(reader=users[2], writer=users[1])
    drain_outbox()


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("read", ["users", "entries", "placed", "reactions", "follows"])
def test_what_is_published_while_feeds_are_read_is_not_extra(
    read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = getattr(ServerInspection, read)

    def late(*args: Any) -> Iterator[Any]:
        if not Member.objects.filter(name="Soon").exists():
            published_meanwhile()
        yield from whole(*args)

    monkeypatch.setattr(ServerInspection, read, late)
    assert [one for one in found() if one[0] == "extra"] == []
    assert Member.objects.filter(name="Soon").exists()


def never_migrated() -> None:
    with connections["other"].cursor() as cursor:
        for model in (Publication, Subscription):
            cursor.execute(f"ALTER TABLE {model._meta.db_table} RENAME TO another_{model._meta.db_table}")


def replica() -> None:
    Publication.objects.using("other").bulk_create(Publication.objects.all())


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("other", [never_migrated, replica], ids=lambda other: other.__name__)
@pytest.mark.parametrize("drift", [foreign_follow, other_feed, rows_deleted, rows_moved_in_time])
def test_a_second_database_without_rows_of_its_own_says_nothing(
    drift: Drift, other: Callable[[], None]
) -> None:
    other()
    drift()
    assert {kind for kind, _ in found()} >= KINDS[drift]

    assert run("stream_repair")[-1]["ok"]

    assert found() == []
    feeds_equal_tables()


@settings(
    max_examples=12,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.usefixtures("site")
@given(drifts=st.lists(st.sampled_from(list(KINDS)), min_size=2, max_size=5, unique=True))
def test_any_mixture_of_drift_is_healed_to_zero(drifts: list[Drift]) -> None:
    with transaction.atomic():
        for drift in drifts:
            # What an earlier one took away cannot drift.
            with suppress(Exception), transaction.atomic():
                drift()
        run("stream_repair")
        run("stream_repair")

        assert found() == []
        feeds_equal_tables()
        transaction.set_rollback(True)


@pytest.mark.usefixtures("site")
def test_what_is_on_its_way_is_no_difference() -> None:
    article = first()
    Article.objects.filter(pk=article.pk).update(title="soon")
    assert OutboxEntry.objects.exists()

    assert found() == []
    drain_outbox()
    assert found() == []


@pytest.mark.usefixtures("site")
def test_a_row_that_cannot_be_read_is_told_and_not_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Article) -> Any:
        raise LookupError("gone")

    monkeypatch.setattr(Article, "activity_target", property(broken))

    assert found("testapp.Article") == [("unreadable", "testapp.Article")] * 3
    told = run("stream_repair", "testapp.Article")[-1]
    assert (told["ok"], told["unreadable"], told["differences"]) == (False, 3, {})


@pytest.mark.usefixtures("site")
def test_a_sample_looks_at_so_many_rows_of_each_model() -> None:
    lines = run("stream_verify", "testapp.Article", "--sample", "2")
    assert lines[0] == {"kind": "Activity", "compared": 2}
    lost_activity()
    assert found("testapp.Article", "--sample", "3") == [("missing", f"user:{first().author_id}")]


@pytest.mark.usefixtures("site")
def test_of_one_model_only_that_is_compared() -> None:
    lost_activity()
    rows_deleted()

    assert found("testapp.Album") == []
    assert {kind for kind, _ in found("testapp.Comment")} == {"extra"}


@pytest.mark.usefixtures("site")
def test_whoever_began_to_follow_meanwhile_goes_on_following() -> None:
    follow = first(Subscription)
    place, thing = f"timeline:{follow.reader_id}", f"user:{follow.writer_id}"
    late = Difference("extra", place, thing, record={"source": place, "target": thing})

    assert repair([late]).published == 0
    feeds_equal_tables()


@pytest.fixture
def users_with_names() -> Iterator[None]:
    """Users name their feeds themselves: the name tells no key."""
    names_itself.cache_clear()
    User.feed_id = property(lambda user: f"_{user.username}")  # type: ignore[attr-defined]
    yield
    del User.feed_id  # type: ignore[attr-defined]
    names_itself.cache_clear()


def test_owners_that_name_themselves_are_looked_at_again_likewise(
    users_with_names: None, ada: User, grace: User
) -> None:
    Subscription.objects.create(reader=ada, writer=grace)
    drain_outbox()
    stray = {"source": "timeline:_grace", "target": "user:_ada"}
    meant = {"source": "timeline:_ada", "target": "user:_grace"}
    get_client().follow_many([stray])
    late = [Difference("extra", one["source"], one["target"], record=one) for one in (meant, stray)]

    assert repair(late).published == 1

    follows = Follow.objects.filter(until_seq=None).values_list("source__user_id", "target__user_id")
    assert set(follows) == {("_ada", "_grace")}


@pytest.mark.usefixtures("site")
def test_rows_of_another_database_are_no_strangers() -> None:
    foreign_activity()
    (extra,) = [one for one in verify(publishers_for("stream_backfill")) if one.kind == "extra"]
    Publication.objects.using("other").create(model_label=extra.label, object_key=extra.key)
    assert found() == []


@pytest.mark.usefixtures("site")
def test_what_is_on_its_way_to_followers_is_no_fault() -> None:
    feed = Feed.objects.get(slug="user", user_id=str(first().author_id))
    fans = Follow.objects.filter(target=feed).values("source")
    assert TimelineEntry.objects.filter(feed__in=fans, via=feed.pk).delete()[0]
    assert {kind for kind, _ in found()} == {"server"}
    job = {"keys": [str(uuid4())], "change": FanoutJob.Change.PLACED, "touched_at": timezone.now()}
    FanoutJob.objects.create(feed=feed.pk, **job)
    assert found() == []


@pytest.fixture
def lost(tmp_path: Path) -> Iterator[str]:
    """A database that cannot be reached."""
    connections.settings["lost"] = {
        **connections.settings["other"],
        "NAME": str(tmp_path / "nowhere" / "lost.sqlite3"),
    }
    # Django lets tests connect only to what they have named before; this one has to be tried in earnest.
    lost = connections["lost"]

    def connect() -> None:
        with lost.wrap_database_errors:
            lost.connect()

    lost.ensure_connection = connect
    yield "lost"
    del connections["lost"], connections.settings["lost"]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("drift", [foreign_follow, foreign_activity])
def test_a_database_out_of_reach_is_named_and_can_be_left_out(drift: Drift, lost: str) -> None:
    drift()
    before = [get_client().feed(*one).get(limit=100)["results"] for one in every_feed()]
    asking = ("stream_verify", "stream_repair") if drift is foreign_activity else ("stream_repair",)
    for command in asking:
        with pytest.raises(CommandError, match="the database 'lost' cannot be reached") as told:
            call_command(command, stdout=StringIO())
        assert told.value.returncode == 1

    assert found("--leave-out", lost) == [], "it may be that database's own"
    assert run("stream_repair", "--leave-out", lost)[-1]["differences"] == {}
    assert [get_client().feed(*one).get(limit=100)["results"] for one in every_feed()] == before


@pytest.mark.usefixtures("site")
def test_what_the_ledger_knows_is_mended_without_the_other_database(lost: str) -> None:
    lost_activity()
    rows_deleted()
    assert {kind for kind, _ in found("--leave-out", lost)} == {"missing", "extra"}
    assert run("stream_repair", "--leave-out", lost)[-1]["ok"]
    assert found("--leave-out", lost) == []
    feeds_equal_tables()


def every_feed() -> list[tuple[str, str]]:
    return [(feed.slug, feed.user_id) for feed in Feed.objects.order_by("pk")]


NOT_LISTED = (ghost_of_a_stranger, extra_user, extra_entry, unknown_to_the_ledger)
OVER_HTTP = [
    drift
    for drift, kinds in KINDS.items()
    # What only a home in the same process tells, and what no API lists.
    if kinds != {"server"} and drift not in NOT_LISTED
]


@pytest.fixture
def over_http(live_server: Any, settings: Any) -> None:
    make_site()
    Member.objects.create(email="m@example.org", name="Mia")
    Album.objects.create(owner=first(User), title="Blue")
    drain_outbox()
    settings.STREAM_NETWORK_IN_TESTS = True
    settings.STREAM_API_SECRET = server_settings.own_secret
    settings.STREAM_BACKEND = live_server.url
    run("stream_backfill")
    run("stream_sync")
    assert found() == []


@pytest.mark.usefixtures("over_http")
@pytest.mark.django_db(transaction=True, databases=["default", "other"])
def test_any_mixture_of_drift_is_healed_over_http() -> None:
    seed = random.randrange(10**9)
    chance = random.Random(seed)
    for _ in range(4):
        for drift in chance.sample(OVER_HTTP, 4):
            # What an earlier one took away cannot drift.
            with suppress(Exception):
                drift()
        assert found() != [], f"seed {seed}"
        run("stream_repair")
        run("stream_repair")
        assert found() == [], f"seed {seed}"
    feeds_equal_tables()


@pytest.mark.usefixtures("over_http")
@pytest.mark.django_db(transaction=True, databases=["default", "other"])
def test_what_an_api_elsewhere_does_not_list_is_said(settings: Any) -> None:
    gone = of_other_programs()
    extra_user()
    extra_entry()
    lines = run("stream_verify")
    assert lines[-1]["differences"] == {}
    limits = {line["kind"]: line.get("not_listed") for line in lines if "compared" in line}
    assert len(limits) == 5
    assert all(limits.values())
    assert run("stream_repair")[-1]["differences"] == {}
    assert gone() == [set()] * 5

    settings.STREAM_BACKEND = "embedded"
    assert sorted(found()) == [("extra", "collection albums"), ("extra", "users")]
    assert not [line for line in run("stream_verify") if "not_listed" in line]


@pytest.mark.usefixtures("over_http")
@pytest.mark.django_db(transaction=True, databases=["default", "other"])
def test_the_same_over_http() -> None:
    of_here = (other_content, foreign_activity, rows_deleted, lost_follow, foreign_follow, other_reaction)
    for drift in (*of_here, extra_reaction, follow_of_a_stranger):
        drift()

    differences = found()
    assert {kind for kind, _ in differences} == {"missing", "extra", "stale"}
    assert differences.count(("extra", "reactions")) == 30
    assert ("extra", "timeline:4711") in differences
    assert run("stream_repair")[-1]["ok"]

    assert found() == []
    feeds_equal_tables()

"""Commands publish what was there before, say what they did, and refuse what they do not know."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from django_stream.backends import get_client
from django_stream.models import OutboxEntry
from django_stream.publishing.models import never
from django_stream.tracking import activities_paused
from tests.testapp.models import Album, Article, Member, Opinion, Subscription, Tag

pytestmark = pytest.mark.django_db

FeedOf = Callable[..., list[dict[str, Any]]]


def run(*args: str, **options: Any) -> str:
    out = StringIO()
    call_command(*args, stdout=out, stderr=out, **options)
    return out.getvalue()


@pytest.fixture
def rows(ada: User, grace: User) -> None:
    """Rows that were there before the app was."""
    with activities_paused():
        Article.objects.bulk_create([Article(author=ada, title=str(number)) for number in range(5)])
        Tag.objects.create(name="t", user=ada)
        Subscription.objects.create(reader=grace, writer=ada)


@pytest.mark.usefixtures("rows")
def test_backfill_and_sync_bring_old_rows_to_the_feeds(ada: User, grace: User, feed_of: FeedOf) -> None:
    assert "testapp.Article: 5 rows looked at" in run("stream_backfill")
    assert len(feed_of("user", ada)) == 6
    assert feed_of("timeline", grace) == []

    assert "testapp.Subscription follow: 1 rows looked at" in run("stream_sync")
    assert len(feed_of("timeline", grace)) == 6

    before = feed_of("timeline", grace)
    run("stream_backfill")
    run("stream_sync")
    assert feed_of("timeline", grace) == before


@pytest.mark.usefixtures("rows")
def test_backfill_of_one_model_leaves_the_others(ada: User, feed_of: FeedOf) -> None:
    run("stream_backfill", "testapp.tag")

    assert [entry["verb"] for entry in feed_of("user", ada)] == ["tag"]


@pytest.mark.usefixtures("rows")
def test_workers_may_do_the_publishing(ada: User, feed_of: FeedOf) -> None:
    run("stream_backfill", "--no-drain")
    assert OutboxEntry.objects.count() == 6
    assert feed_of("user", ada) == []

    assert run("stream_drain") == "published 6, to be retried 0, parked 0\n"
    assert len(feed_of("user", ada)) == 6


@pytest.mark.usefixtures("rows")
@pytest.mark.django_db(transaction=True)
def test_commits_of_the_commands_do_not_publish_behind_their_backs() -> None:
    run("stream_backfill", "--no-drain")
    assert OutboxEntry.objects.count() == 6

    assert "\n6 sent, " in run("stream_backfill")


@pytest.mark.usefixtures("rows")
def test_parked_changes_get_another_chance(ada: User) -> None:
    call_command("stream_backfill", "--no-drain", stdout=StringIO())
    OutboxEntry.objects.update(parked_at="2026-01-01T00:00:00Z", due_at=never())
    assert run("stream_drain") == "published 0, to be retried 0, parked 0\n"

    assert "6 parked entries are due again\npublished 6" in run("stream_drain", "--retry-parked")


def test_an_unknown_model_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(
        CommandError, match=r"nobody.Knows: no such tracked model. Tracked here: .*testapp.Article"
    ):
        run("stream_backfill", "nobody.Knows")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (
            "stream_backfill testapp.subscription",
            "testapp.Subscription is for `python manage.py stream_sync testapp.Subscription`.",
        ),
        *(
            (
                f"stream_sync testapp.{name}",
                f"testapp.{name} is for `python manage.py stream_backfill testapp.{name}`.",
            )
            for name in ("Article", "Album", "Member", "Opinion")
        ),
    ],
)
def test_a_model_for_the_other_command_is_answered_by_that_command(typed: str, meant: str) -> None:
    with pytest.raises(CommandError) as refused:
        run(*typed.split())

    assert str(refused.value) == meant


@pytest.mark.usefixtures("rows")
def test_rows_deleted_by_hand_are_taken_out(ada: User, grace: User, feed_of: FeedOf) -> None:
    run("stream_backfill")
    run("stream_sync")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM testapp_tag")
        cursor.execute("DELETE FROM testapp_subscription")

    assert "1 sent, 5 were there already" in run("stream_backfill")
    assert "1 sent, 0 were there already" in run("stream_sync")

    assert len(feed_of("user", ada)) == 5
    assert feed_of("timeline", grace) == []


def test_mirrors_and_reactions_are_brought_up_too(ada: User, grace: User) -> None:
    with activities_paused():
        article = Article.objects.create(author=ada, title="one")
        Album.objects.create(owner=ada, title="Blue")
        Member.objects.create(email="m", name="Mia")
        Opinion.objects.create(user=grace, article=article, text="fine")

    out = run("stream_backfill")

    assert out.index("testapp.Member user: 1") < out.index("testapp.Album collection: 1")
    assert out.index("testapp.Album: 1") < out.index("testapp.Opinion reaction: 1")
    assert "5 sent, 0 were there already" in out
    assert get_client().users.get("testapp-member-m")["data"] == {"name": "Mia"}


@pytest.mark.usefixtures("rows")
def test_rows_that_do_not_publish_are_counted_apart() -> None:
    with activities_paused():
        Article.objects.filter(title__in=["0", "1"]).update(is_public=False)

    assert "3 sent, 0 were there already, 2 do not publish" in run("stream_backfill", "testapp.Article")
    assert "0 sent, 3 were there already, 2 do not publish" in run("stream_backfill", "testapp.Article")

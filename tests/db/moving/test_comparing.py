"""What a site has with the hosted service is compared with what it would send, before it sends anything."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from django_stream.feeds import feed_manager
from django_stream.models import OutboxEntry
from django_stream.tracking import activities_paused, drain
from tests.moved.models import Like, OldLike, Tweet, Wall
from tests.testapp.models import Article, Reading

pytestmark = pytest.mark.django_db
MOMENT = datetime(2020, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)


@pytest.fixture
def like(ada: User) -> Like:
    with activities_paused():
        row = Like.objects.create(user=ada, wall=Wall.objects.create(title="Kitchen"))
        Like.objects.update(created_at=MOMENT)
        row.refresh_from_db()
    return row


def sent_by_stream_django(row: Any, shift: timedelta = timedelta(), **values: Any) -> None:
    """An activity by that package's formula: its foreign id is its object, and times are naive UTC."""
    reference = f"{row.activity_object_attr._meta.label}:{row.activity_object_attr.pk}"
    activity = {
        "actor": f"auth.User:{row.user_id}",
        "verb": type(row).__name__.lower(),
        "object": reference,
        "foreign_id": reference,
        "time": (row.created_at + shift).replace(tzinfo=None),
    }
    feed_manager.get_feed("user", row.user_id).add_activity(activity | values)


def compared(*labels: str) -> tuple[str, str]:
    out = StringIO()
    try:
        call_command("stream_compare", *labels, stdout=out)
    except CommandError as error:
        return out.getvalue(), str(error)
    return out.getvalue(), ""


def test_another_foreign_id_is_named_with_the_remedy_and_nothing_is_sent(like: Like) -> None:
    sent_by_stream_django(like)

    told, error = compared("moved.Like")

    assert f"foreign_id: moved.Wall:{like.wall_id} there, moved.Like:{like.pk} here" in told
    assert 'identity = "stream-django"' in error
    assert len(feed_manager.get_feed("user", like.user_id).get()["results"]) == 1
    assert not OutboxEntry.objects.exists()


def test_another_time_is_named(like: Like) -> None:
    sent_by_stream_django(like, timedelta(hours=1), foreign_id=f"moved.Like:{like.pk}")

    told, error = compared("moved.Like")

    assert "time: 2020-02-03T05:05:06.789000+00:00 there, 2020-02-03T04:05:06.789000+00:00 here" in told
    assert error


def test_another_feed_is_named(like: Like) -> None:
    activity = {"actor": f"auth.User:{like.user_id}", "verb": "like", "object": "x", "time": like.created_at}
    feed_manager.get_feed("user", "shop-profile-1").add_activity(
        activity | {"foreign_id": f"moved.Like:{like.pk}"}
    )

    told, error = compared("moved.Like")

    assert f"feed: another feed there, user:{like.user_id} here" in told
    assert error


def test_a_model_that_keeps_its_names_is_the_same_and_is_not_doubled(ada: User) -> None:
    with activities_paused():
        wall = Wall.objects.create(title="Kitchen")
        like = OldLike.objects.create(user=ada, wall=wall, created_at=MOMENT)
    sent_by_stream_django(like)

    told, error = compared("moved.OldLike")
    assert "1 are the same, 0 are not there, 0 would be doubled" in told
    assert error == ""

    call_command("stream_backfill", "moved.OldLike", stdout=StringIO())
    assert len(feed_manager.get_feed("user", ada.pk).get()["results"]) == 1
    like.delete()
    drain()
    assert feed_manager.get_feed("user", ada.pk).get()["results"] == []


def test_what_the_api_has_never_seen_is_no_difference(ada: User) -> None:
    with activities_paused():
        Tweet.objects.create(author=ada, text="x")

    told, error = compared("moved.Tweet")

    assert ("1 are not there" in told, error) == (True, "")


def test_rows_that_cannot_be_published_are_counted(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    with activities_paused():
        Tweet.objects.create(author=ada, text="x")
    monkeypatch.setattr(Tweet, "activity_verb", property(lambda self: ""))

    told, error = compared("moved.Tweet")

    assert "1 cannot be published" in told
    assert "has no verb" in told
    assert error == ""


def test_only_a_sample_of_the_newest_is_read(ada: User) -> None:
    with activities_paused():
        for index in range(6):
            Tweet.objects.create(author=ada, text=str(index))

    out = StringIO()
    call_command("stream_compare", "moved.Tweet", "--sample", "4", stdout=out)

    assert "4 are not there" in out.getvalue()


def test_programs_read_the_differences_as_json(like: Like) -> None:
    sent_by_stream_django(like)
    out = StringIO()

    with pytest.raises(CommandError):
        call_command("stream_compare", "moved.Like", "--json", stdout=out)

    model, summary = map(json.loads, out.getvalue().splitlines())
    assert [one["name"] for one in model["differences"]] == ["foreign_id"]
    assert (summary["ok"], summary["doubled"]) == (False, 1)


def test_rows_of_any_key_and_any_group_are_compared(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key of two columns has a comma, and a row may name a feed group that the API does not have."""
    article = Article.objects.create(author=ada, title="x")
    Reading.objects.create(reader=ada, article=article)
    drain()

    told, error = compared("testapp.Reading", "testapp.Article")
    assert "testapp.Reading: 1 are the same" in told
    assert error == ""

    monkeypatch.setattr(Article, "activity_author_feed", "nowhere")
    told, _ = compared("testapp.Reading", "testapp.Article")
    assert "testapp.Reading: 1 are the same" in told
    assert "testapp.Article: 0 are the same, 0 are not there, 0 would be doubled, 1 cannot" in told

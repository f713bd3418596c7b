"""After a drain the feeds equal the tables, whatever happened to the rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from django_stream.feeds import feed_manager
from django_stream.models import OutboxEntry, Publication
from django_stream.tracking import drain
from tests.testapp.models import Article, Badge, Club, Comment, Photo, Reading, Subscription, Tag

pytestmark = pytest.mark.django_db

FeedOf = Callable[..., list[dict[str, Any]]]
MOMENT = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


def feed_followers(slug: str, owner: Any) -> list[dict[str, Any]]:
    return list(feed_manager.get_feed(slug, owner).followers()["results"])


def foreign_ids(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["foreign_id"] for entry in entries]


@pytest.fixture
def article(ada: User, grace: User) -> Article:
    created = Article.objects.create(author=ada, editor=grace, title="one", published_at=MOMENT)
    created.mentioned.add(grace)
    drain()
    return created


def test_a_row_becomes_an_activity(article: Article, ada: User, grace: User, feed_of: FeedOf) -> None:
    (activity,) = feed_of("user", ada)

    assert activity | {"id": ""} == {
        "id": "",
        "actor": f"auth.User:{ada.pk}",
        "verb": "publish",
        "object": f"testapp.Article:{article.pk}",
        "target": f"auth.User:{grace.pk}",
        "foreign_id": f"testapp.Article:{article.pk}",
        "origin": None,
        "time": MOMENT,
        "to": [f"notification:{grace.pk}"],
        "title": "one",
        "author_username": "ada",
    }
    (group,) = feed_of("notification", grace)
    assert foreign_ids(group["activities"]) == [activity["foreign_id"]]
    assert OutboxEntry.objects.count() == 0


def test_an_edit_changes_the_activity_in_place(article: Article, ada: User, feed_of: FeedOf) -> None:
    before = feed_of("user", ada)[0]["id"]

    article.title = "two"
    article.save()
    drain()

    assert [(entry["id"], entry["title"]) for entry in feed_of("user", ada)] == [(before, "two")]


def test_deleting_takes_the_activity_out_of_every_feed(
    article: Article, ada: User, grace: User, feed_of: FeedOf
) -> None:
    article.delete()
    drain()

    assert feed_of("user", ada) == feed_of("notification", grace) == []
    assert not Publication.objects.exists()


def test_a_cascade_takes_dependent_activities_out(article: Article, grace: User, feed_of: FeedOf) -> None:
    comment = Comment.objects.create(user=grace, article=article, text="hm")
    drain()
    assert foreign_ids(feed_of("user", grace)) == [f"testapp.Comment:{comment.pk}"]

    article.delete()
    drain()

    assert feed_of("user", grace) == []


def test_a_row_that_should_not_be_public_goes_and_comes_back(
    article: Article, ada: User, feed_of: FeedOf
) -> None:
    Article.objects.update(is_public=False)
    drain()
    assert feed_of("user", ada) == []

    Article.objects.update(is_public=True)
    drain()
    assert len(feed_of("user", ada)) == 1


def test_a_change_of_actor_moves_the_activity(
    article: Article, ada: User, grace: User, feed_of: FeedOf
) -> None:
    article.author = grace
    article.save()
    drain()

    assert feed_of("user", ada) == []
    assert foreign_ids(feed_of("user", grace)) == [f"testapp.Article:{article.pk}"]


def test_a_move_with_other_recipients_leaves_none_of_the_former(
    article: Article, ada: User, grace: User, feed_of: FeedOf
) -> None:
    article.author = grace
    article.save()
    article.mentioned.set([ada])
    drain()

    assert feed_of("user", ada) == feed_of("notification", grace) == []
    assert len(feed_of("notification", ada)) == 1
    assert feed_of("user", grace)[0]["to"] == [f"notification:{ada.pk}"]


def test_a_change_of_time_leaves_no_ghost(article: Article, ada: User, feed_of: FeedOf) -> None:
    article.published_at += timedelta(microseconds=1)
    article.save()
    drain()

    assert [entry["time"] for entry in feed_of("user", ada)] == [MOMENT + timedelta(microseconds=1)]


def test_recipients_come_and_go(article: Article, ada: User, grace: User, feed_of: FeedOf) -> None:
    article.mentioned.set([ada])
    drain()

    assert feed_of("notification", grace) == []
    assert len(feed_of("notification", ada)) == 1
    assert feed_of("user", ada)[0]["to"] == [f"notification:{ada.pk}"]


def test_what_came_and_went_in_between_is_never_sent(ada: User, feed_of: FeedOf) -> None:
    Tag.objects.create(name="brief", user=ada).delete()

    report = drain()

    assert (report.published, report.failed, report.parked) == (1, 0, 0)
    assert feed_of("user", ada) == []
    assert not Publication.objects.exists()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda user, article: Tag.objects.create(name="a:b c", user=user), id="text"),
        pytest.param(
            lambda user, article: Reading.objects.create(reader=user, article=article), id="composite"
        ),
        pytest.param(
            lambda user, article: Badge.objects.create(user=user, group=Group.objects.create(name="x")),
            id="registered",
        ),
        pytest.param(lambda user, article: Photo.objects.create(owner=user), id="stream-django style"),
    ],
)
def test_every_kind_of_row_comes_and_goes(
    make: Callable[..., Any], article: Article, grace: User, feed_of: FeedOf
) -> None:
    row = make(grace, article)
    drain()
    assert len(feed_of("user", grace)) == 1

    row.delete()
    drain()
    assert feed_of("user", grace) == []


def test_follow_rows_are_follows(article: Article, ada: User, grace: User, feed_of: FeedOf) -> None:
    row = Subscription.objects.create(reader=grace, writer=ada)
    drain()
    assert foreign_ids(feed_of("timeline", grace)) == [f"testapp.Article:{article.pk}"]

    row.delete()
    Subscription.objects.create(reader=grace, writer=ada)
    drain()
    assert len(feed_of("timeline", grace)) == 1

    Subscription.objects.all().delete()
    drain()
    assert feed_of("timeline", grace) == []


def test_a_many_to_many_field_is_follows_too(
    article: Article, ada: User, grace: User, feed_of: FeedOf
) -> None:
    club, other = (Club.objects.create(name=name) for name in ("one", "other"))
    for change, shown in (
        (lambda: club.watched.add(ada), True),
        (lambda: club.watched.remove(ada), False),
        (lambda: ada.watching_clubs.add(club), True),
        (lambda: ada.watching_clubs.clear(), False),
        (lambda: club.watched.set([ada, grace]), True),
        (lambda: club.watched.set([grace]), False),
    ):
        change()
        drain()
        assert bool(feed_of("timeline", club)) is shown

    club.allies.add(other)
    drain()
    followers = [follow["feed_id"] for club_ in (club, other) for follow in feed_followers("user", club_)]
    assert set(followers) == {
        f"{slug}:testapp-club-{one.pk}"
        for slug in ("timeline", "timeline_aggregated")
        for one in (club, other)
    }
    club.allies.clear()
    drain()
    assert feed_followers("user", club) == feed_followers("user", other) == []


def test_one_may_follow_oneself(article: Article, ada: User, feed_of: FeedOf) -> None:
    Subscription.objects.create(reader=ada, writer=ada)
    drain()

    assert len(feed_of("timeline", ada)) == 1


def test_a_follow_moves_as_often_as_one_likes(
    article: Article, ada: User, grace: User, make_user: Callable[[str], User], feed_of: FeedOf
) -> None:
    other = make_user("other")
    Tag.objects.create(name="grace's", user=grace)
    row = Subscription.objects.create(reader=other, writer=ada)
    drain()

    row.writer = grace
    row.save()
    drain()
    assert foreign_ids(feed_of("timeline", other)) == ["testapp.Tag:grace's"]

    row.writer = other
    row.save()
    drain()
    assert feed_of("timeline", other) == []


def test_a_follow_that_moved_is_undone_by_deleting_an_older_instance(
    article: Article, ada: User, grace: User, feed_of: FeedOf
) -> None:
    row = Subscription.objects.create(reader=grace, writer=grace)
    older = Subscription.objects.get()
    row.writer = ada
    row.save()
    drain()
    assert len(feed_of("timeline", grace)) == 1

    older.delete()
    drain()
    assert feed_of("timeline", grace) == []


def test_one_of_two_rows_of_a_pair_keeps_the_follow(
    article: Article, ada: User, grace: User, feed_of: FeedOf
) -> None:
    first = Subscription.objects.create(reader=grace, writer=ada)
    Subscription.objects.create(reader=grace, writer=ada)
    drain()

    first.delete()
    drain()

    assert len(feed_of("timeline", grace)) == 1


def test_a_row_without_an_actor_is_parked_with_its_reason(ada: User, feed_of: FeedOf) -> None:
    good = Tag.objects.create(name="good", user=ada)
    bad = Tag.objects.create(name="bad", user=ada)
    Tag.objects.filter(pk="bad").update(created_at=MOMENT)
    try:
        Tag.activity_verb = property(lambda self: "" if self.name == "bad" else "tag")  # type: ignore[assignment]
        report = drain()
    finally:
        del Tag.activity_verb

    assert (report.published, report.parked) == (1, 1)
    assert foreign_ids(feed_of("user", ada)) == [f"testapp.Tag:{good.pk}"]
    entry = OutboxEntry.objects.filter(object_key=bad.pk).first()
    assert entry is not None
    assert entry.parked_at is not None
    assert "testapp.Tag bad has no verb" in entry.reason

    bad.save()
    drain()
    assert len(feed_of("user", ada)) == 2
    assert not OutboxEntry.objects.exists()

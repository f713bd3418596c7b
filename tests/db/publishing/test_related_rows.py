"""When another row changes what a row says: the one that it points to goes, or moves its activity."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.db.models.signals import pre_delete
from django.test.utils import CaptureQueriesContext

from django_stream.backends import get_client
from django_stream.feeds import feed_manager
from django_stream.models import OutboxEntry
from django_stream.publishing.publisher import publishers_of, register_publisher, unregister_publisher
from django_stream.tracking import activities_paused, drain
from tests.faults import BreakingTransport, Clock, after, before, client_over
from tests.testapp.models import Article, Club, Guest, Opinion

pytestmark = pytest.mark.django_db

FeedOf = Callable[..., list[dict[str, Any]]]


def remove_by_queryset(user: User) -> None:
    User.objects.filter(pk=user.pk).delete()


def remove_by_proxy(user: User) -> None:
    Guest.objects.get(pk=user.pk).delete()


def test_a_model_that_is_tracked_no_more_is_not_noted(article: Article, grace: User) -> None:
    gone = publishers_of(Article)
    for publisher in gone:
        unregister_publisher(publisher)
    try:
        grace.delete()
    finally:
        for publisher in gone:
            register_publisher(publisher)
    labels = {publisher.label for publisher in gone}
    assert not OutboxEntry.objects.filter(model_label__in=labels).exists()


@pytest.fixture
def article(ada: User, grace: User) -> Article:
    created = Article.objects.create(author=ada, editor=grace, title="one")
    created.mentioned.add(grace)
    drain()
    return created


@pytest.mark.parametrize("remove", [User.delete, remove_by_queryset, remove_by_proxy])
def test_a_user_who_goes_is_neither_recipient_nor_target_any_more(
    remove: Callable[[User], Any], article: Article, ada: User, grace: User, feed_of: FeedOf
) -> None:
    gone = grace.pk
    (activity,) = feed_of("user", ada)
    assert (activity["to"], activity["target"]) == ([f"notification:{gone}"], f"auth.User:{gone}")

    remove(grace)
    drain()

    (activity,) = feed_of("user", ada)
    assert not activity.get("to")
    assert not activity.get("target")
    assert feed_of("notification", gone) == []


def followed_by(club: Any) -> set[str]:
    return {follow["target_id"] for follow in feed_manager.get_feed("timeline", club).following()["results"]}


def test_follows_of_a_field_go_with_either_end(ada: User, grace: User) -> None:
    club, ally = (Club.objects.create(name=name) for name in ("one", "other"))
    club.watched.set([ada, grace])
    club.allies.add(ally)
    drain()
    friend = f"user:testapp-club-{ally.pk}"
    assert followed_by(club) == {f"user:{ada.pk}", f"user:{grace.pk}", friend}

    ada.delete()
    drain()
    assert followed_by(club) == {f"user:{grace.pk}", friend}

    gone = club.pk
    club.delete()
    drain()
    assert followed_by(f"testapp-club-{gone}") == followed_by(ally) == set()


def test_a_user_costs_as_much_whatever_number_of_rows_mention_it(
    ada: User, grace: User, make_user: Callable[[str], User]
) -> None:
    def queries_of_deleting(name: str, mentions: int) -> int:
        user = make_user(name)
        articles = Article.objects.bulk_create(Article(author=ada, title="x") for _ in range(mentions))
        user.mentions.set(articles)  # type: ignore[attr-defined]
        OutboxEntry.objects.all().delete()
        with CaptureQueriesContext(connection) as captured:
            user.delete()
        assert OutboxEntry.objects.count() == mentions
        return len(captured)

    assert queries_of_deleting("known to few", 2) == queries_of_deleting("known to many", 40)


def test_a_user_who_goes_while_paused_is_not_noted(article: Article, grace: User) -> None:
    with activities_paused():
        grace.delete()

    assert not OutboxEntry.objects.exists()


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_nobody_begins_to_mention_a_user_who_is_being_deleted(ada: User, grace: User) -> None:
    """Who did would have the article looked at too early, and unlinked after that without a word."""
    assert connection.vendor == "postgresql", "this is about row locks: point DATABASE_URL at PostgreSQL"
    article, gone = Article.objects.create(author=ada, title="one"), grace.pk

    def mention() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '100ms'")
                article.mentioned.add(gone)
        finally:
            connection.close()

    def somebody_else_mentions(**_: Any) -> None:
        with ThreadPoolExecutor(1) as pool, pytest.raises(OperationalError, match="lock timeout"):
            pool.submit(mention).result()

    pre_delete.connect(somebody_else_mentions, sender=User)
    try:
        grace.delete()
    finally:
        pre_delete.disconnect(somebody_else_mentions, sender=User)


# Reactions go with the activity that they react to.


@pytest.fixture
def opinion(article: Article, grace: User) -> Opinion:
    created = Opinion.objects.create(user=grace, article=article, text="fine")
    drain()
    return created


def opinions_by(user: User) -> list[str]:
    """The activities that the user's reactions are on."""
    found = get_client().reactions.filter(user_id=str(user.pk))["results"]
    return [reaction["activity_id"] for reaction in found]


def test_a_reaction_moves_with_the_time_of_its_activity(
    article: Article, opinion: Opinion, ada: User, grace: User, feed_of: FeedOf
) -> None:
    (former,) = opinions_by(grace)

    article.published_at += timedelta(days=1)
    article.save()
    drain()

    (activity,) = feed_of("user", ada)
    assert opinions_by(grace) == [activity["id"]] != [former]


def test_a_reaction_tells_whoever_is_the_author_now(
    article: Article, opinion: Opinion, ada: User, grace: User, feed_of: FeedOf
) -> None:
    assert [group["verb"] for group in feed_of("notification", ada)] == ["opinion"]

    article.author = grace
    article.save()
    drain()

    assert feed_of("notification", ada) == []
    assert {group["verb"] for group in feed_of("notification", grace)} == {"publish", "opinion"}


def test_a_reaction_is_there_only_while_its_activity_is(
    article: Article, opinion: Opinion, ada: User, grace: User, feed_of: FeedOf
) -> None:
    there = opinions_by(grace)

    Article.objects.update(is_public=False)
    drain()
    assert opinions_by(grace) == feed_of("notification", ada) == []

    opinion.text = "written meanwhile"
    opinion.save()
    drain()
    assert opinions_by(grace) == []

    Article.objects.update(is_public=True)
    drain()
    assert opinions_by(grace) == there
    assert len(feed_of("notification", ada)) == 1


@pytest.mark.parametrize("kind", [before, after])
@pytest.mark.parametrize("good", range(4))
def test_reactions_are_not_forgotten_by_a_killed_worker(
    kind: Callable[..., Any], good: int, article: Article, opinion: Opinion, grace: User, clock: Clock
) -> None:
    article.published_at += timedelta(days=1)
    article.save()
    steps = [lambda request, go_on: go_on()] * good
    try:
        drain(client=client_over(BreakingTransport(*steps, kind(KeyboardInterrupt()))), clock=clock)
    except KeyboardInterrupt:
        clock.forward(hours=1)
    drain(clock=clock)

    (activity,) = feed_manager.get_feed("user", article.author_id).get()["results"]
    assert opinions_by(grace) == [activity["id"]]


def test_an_edit_of_an_activity_leaves_its_reactions_alone(article: Article, opinion: Opinion) -> None:
    article.title = "two"
    article.save()

    assert drain().published == 1


def _adds(article: Article, user: User) -> None:
    article.mentioned.add(user)


def _removes(article: Article, user: User) -> None:
    article.mentioned.add(user)
    drain()
    article.mentioned.remove(user)


def _clears(article: Article, user: User) -> None:
    article.mentioned.add(user)
    drain()
    article.mentioned.clear()


def _adds_from_the_other_end(article: Article, user: User) -> None:
    user.mentions.add(article)  # type: ignore[attr-defined]


def _removes_from_the_other_end(article: Article, user: User) -> None:
    article.mentioned.add(user)
    drain()
    user.mentions.remove(article)  # type: ignore[attr-defined]


def _clears_from_the_other_end(article: Article, user: User) -> None:
    article.mentioned.add(user)
    drain()
    user.mentions.clear()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_adds, True),
        (_removes, False),
        (_clears, False),
        (_adds_from_the_other_end, True),
        (_removes_from_the_other_end, False),
        (_clears_from_the_other_end, False),
    ],
)
def test_recipients_come_and_go_from_either_end(
    change: Callable[[Article, User], None], told: bool, ada: User, grace: User, feed_of: FeedOf
) -> None:
    article = Article.objects.create(author=ada, title="one")
    drain()
    change(article, grace)
    assert OutboxEntry.objects.count() == 1
    drain()
    assert bool(feed_of("notification", grace)) is told

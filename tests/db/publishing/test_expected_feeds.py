"""The comparison of feeds and tables finds what differs, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from django_stream.backends import get_client
from django_stream.tracking import drain
from tests.expected_feeds import SHOWN_OF_GROUP, differences
from tests.testapp.models import Article, Comment, Opinion, Subscription

pytestmark = pytest.mark.django_db

MORE_THAN_ARE_SHOWN = SHOWN_OF_GROUP + 5
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def articles(ada: User, grace: User) -> list[Article]:
    """One group of grace's notifications, and a follow."""
    rows = [
        Article.objects.create(author=ada, title=str(n), published_at=NOON + timedelta(minutes=n))
        for n in range(MORE_THAN_ARE_SHOWN)
    ]
    for row in rows:
        row.mentioned.add(grace)
    Subscription.objects.create(reader=grace, writer=ada)
    Opinion.objects.create(user=grace, article=rows[0], text="fine")
    drain()
    return rows


def test_activities_that_a_group_does_not_show_are_not_lost(
    articles: list[Article], ada: User, grace: User
) -> None:
    assert list(differences([ada.pk, grace.pk])) == []


@pytest.mark.parametrize("number", [0, MORE_THAN_ARE_SHOWN - 1], ids=["not shown", "shown"])
def test_a_lost_mention_is_found(number: int, articles: list[Article], ada: User, grace: User) -> None:
    feed = get_client().feed("user", str(ada.pk))
    article = articles[number]
    feed.update_activity_to_targets(f"testapp.Article:{article.pk}", article.published_at, new_targets=[])

    found = differences([ada.pk, grace.pk])
    assert "lost" in {one.kind for one in found if one.where.startswith(f"notification:{grace.pk}")}


def test_what_is_lost_or_a_ghost_is_told(articles: list[Article], ada: User, grace: User) -> None:
    Article.objects.filter(pk=articles[2].pk).delete()
    Comment.objects.create(user=ada, article=articles[1], created_at=NOON)

    Subscription.objects.create(reader=ada, writer=grace)

    found = [(one.kind, one.where) for one in differences([ada.pk])]
    assert sorted(found) == [
        ("ghost", f"user:{ada.pk}"),
        ("lost", f"follows of {ada.pk}"),
        ("lost", f"user:{ada.pk}"),
    ]

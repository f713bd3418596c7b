"""Who follows whom comes back as rows, in order, and only those whom the viewer may see."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ImproperlyConfigured, SynchronousOnlyOperation

from django_stream import feeds
from django_stream.feeds import feed_manager
from django_stream.tracking import drain
from tests.testapp.models import Alert, Article, Block, Product, Subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def fans(ada: User, make_user: Any) -> list[User]:
    """Ada's followers, the newest first."""
    fans = [make_user(f"fan{number}") for number in range(5)]
    for fan in fans:
        Subscription.objects.create(reader=fan, writer=ada)
        drain()
    return fans[::-1]


def test_followers_are_read_page_by_page(ada: User, fans: list[User]) -> None:
    reader = feeds.followers(ada)
    first = reader.page(limit=2)
    second = reader.page(limit=2, cursor=first.next)
    third = reader.page(limit=2, cursor=second.next)

    assert [*first, *second, *third] == fans
    assert (len(first), third.next, first[0]) == (2, None, fans[0])
    assert (reader.count(), feeds.following(ada).count()) == (5, 0)


@pytest.mark.parametrize("size", [1, 5])
def test_a_page_of_people_costs_one_query_more_than_the_follows(
    ada: User, fans: list[User], size: int, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(3):
        assert len(feeds.followers(ada).page(limit=size)) == size


def test_rows_of_other_models_are_followed_too(ada: User, grace: User) -> None:
    product = Product.objects.create(owner=grace, title="x")
    Alert.objects.create(user=ada, product=product)
    Subscription.objects.create(reader=ada, writer=grace)
    drain()

    assert set(feeds.following(ada).page()) == {product, grace}
    assert list(feeds.followers(product).page()) == [ada]


def test_the_gone_and_the_hidden_are_left_out(people: None, ada: User, grace: User, fans: list[User]) -> None:
    Block.objects.create(by=fans[0], of=grace)
    feed_manager.follow_user(10**6, ada)

    assert list(feeds.followers(ada, viewer=grace).page()) == fans[1:]
    assert list(feeds.followers(ada, viewer=ada).page()) == fans


def test_one_is_asked_for_or_many_at_once(ada: User, grace: User, fans: list[User]) -> None:
    assert (feeds.is_following(fans[0], ada), feeds.is_following(ada, fans[0])) == (True, False)
    assert feeds.is_following(fans[0], [ada, grace]) == {ada: True, grace: False}
    assert feeds.is_following(fans[0].pk, ada.pk) is True
    assert feeds.is_following(AnonymousUser(), [ada]) == {ada: False}
    assert feeds.is_following(ada, []) == {}


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 101}, {"cursor": "x"}, {"cursor": "-1"}, {"cursor": "401"}]
)
def test_what_no_page_can_begin_with_is_refused(ada: User, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"limit must be a number|is no `next` of a page of people"):
        feeds.followers(ada).page(**wrong)


def test_asynchronous_views_have_twins(ada: User, fans: list[User]) -> None:
    async def view() -> Any:
        for blocking in (feeds.followers(ada).page, feeds.followers(ada).count):
            with pytest.raises(SynchronousOnlyOperation, match=r"`await ….a(page|count)\(\)`"):
                blocking()
        with pytest.raises(SynchronousOnlyOperation, match="await ais_following"):
            feeds.is_following(fans[0], ada)
        reader = feeds.followers(ada)
        return len(await reader.apage()), await reader.acount(), await feeds.ais_following(fans[0], ada)

    assert async_to_sync(view)() == (5, 5, True)


def test_everything_is_a_feed_that_the_site_names(ada: User, settings: Any) -> None:
    with pytest.raises(ImproperlyConfigured, match="STREAM_EVERYTHING_FEED"):
        feeds.everything()
    settings.STREAM_EVERYTHING_FEED = "topic:all"
    article = Article.objects.create(author=ada, title="x")
    feed_manager.client.feed("topic", "all").add_activity(
        {"actor": "a", "verb": "v", "object": f"testapp.Article:{article.pk}"}
    )

    assert [one["object"] for one in feeds.everything().page()] == [article]

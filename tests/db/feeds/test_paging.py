"""Pages are full, follow one another without gap or overlap, and survive ghosts."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import SynchronousOnlyOperation
from django.http import Http404
from django.test import RequestFactory

from django_stream import feeds
from django_stream.feeds import feed_manager
from django_stream.tracking import activities_paused, drain
from tests.testapp.models import Album, Article, Member, Opinion, Subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def articles(ada: User, grace: User) -> list[Article]:
    """Ada's articles, newest first, which Grace follows."""
    Subscription.objects.create(reader=grace, writer=ada)
    created = [Article.objects.create(author=ada, title=str(number)) for number in range(12)]
    drain()
    return created[::-1]


def shown(page: feeds.Page) -> list[Any]:
    return [activity["object"] for activity in page]


def test_pages_follow_one_another(articles: list[Article], grace: User) -> None:
    reader = feeds.timeline(grace)
    first = reader.page(limit=5)
    second = reader.page(limit=5, cursor=first.next)
    third = reader.page(limit=5, cursor=second.next)

    assert shown(first) + shown(second) + shown(third) == articles
    assert (len(first), len(second), len(third)) == (5, 5, 2)
    assert first[0]["object"] == articles[0]
    assert third.next is None


def test_a_page_is_filled_up_where_rows_are_gone(articles: list[Article], grace: User) -> None:
    with activities_paused():
        Article.objects.filter(pk__in=[article.pk for article in articles[1:4]]).delete()

    page = feeds.timeline(grace).page(limit=5)

    assert shown(page) == [articles[0], *articles[4:8]]
    assert shown(feeds.timeline(grace).page(limit=10, cursor=page.next)) == articles[8:]


def test_placeholders_stay_where_the_site_wants_them(
    articles: list[Article], grace: User, settings: Any
) -> None:
    settings.STREAM_MISSING_OBJECTS = "placeholder"
    with activities_paused():
        articles[0].delete()

    page = feeds.timeline(grace).page(limit=2)

    assert [activity.enriched for activity in page] == [False, True]


def test_a_feed_full_of_ghosts_ends_the_search(articles: list[Article], ada: User, grace: User) -> None:
    for number in range(8):
        Article.objects.create(author=ada, title=str(number))
    drain()
    with activities_paused():
        Article.objects.all().delete()

    page = feeds.timeline(grace).page(limit=1)

    assert len(page) == 0
    assert page.next is not None, "there is more to read, by another request"


def test_an_empty_feed_is_an_empty_page(ada: User) -> None:
    page = feeds.profile(ada).page()

    assert (list(page), page.next, page.unseen) == ([], None, None)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"limit": 0}, "limit must be a number from 1 to 100, not 0"),
        ({"limit": -1}, "limit must be a number from 1 to 100, not -1"),
        ({"limit": 101}, "limit must be a number from 1 to 100, not 101"),
        ({"limit": None}, "limit must be a number from 1 to 100, not None"),
        ({"limit": True}, "limit must be a number from 1 to 100, not True"),
        ({"limit": "5"}, "limit must be a number .* not '5': turn text into a number first, by int()"),
        ({"cursor": 5}, "cursor must be the `next` of the page before, or None, not 5"),
        ({"cursor": "x", "id_lt": "y"}, "give cursor= and not id_lt="),
    ],
    ids=str,
)
def test_what_no_page_can_begin_with_is_named(ada: User, wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        feeds.profile(ada).page(**wrong)


def test_a_request_is_not_its_user_and_a_text_is_no_list(rf: RequestFactory, ada: User) -> None:
    with pytest.raises(TypeError, match="give request.user"):
        feeds.timeline(rf.get("/"))
    with pytest.raises(TypeError, match=r"fields must be a list of names: \['actor'\]"):
        feeds.FeedReader(feed_manager.get_user_feed(ada), fields="actor").page()


def test_notifications_are_counted_and_marked(ada: User, grace: User) -> None:
    article = Article.objects.create(author=ada, title="for grace")
    article.mentioned.add(grace)
    drain()

    assert feeds.unseen(grace) == 1
    page = feeds.notifications(grace).page(mark_seen=True)
    assert (page.unseen, page.unread, len(page)) == (1, 1, 1)
    assert page.activities[0]["activities"][0]["object"] == article

    assert feeds.unseen(grace) == 0
    again = feeds.notifications(grace).page()
    assert (again.unseen, again.unread) == (0, 1)


def test_the_manager_follows_for_all_news_feeds(ada: User, grace: User) -> None:
    Article.objects.create(author=ada, title="one")
    drain()

    feed_manager.follow_user(grace.pk, ada.pk)
    assert {
        name: len(feed.get()["results"]) for name, feed in feed_manager.get_news_feeds(grace.pk).items()
    } == {
        "timeline": 1,
        "timeline_aggregated": 1,
    }

    feed_manager.unfollow_user(grace.pk, ada.pk, keep_history=True)
    assert len(feed_manager.get_feed("timeline", grace).get()["results"]) == 1
    Article.objects.create(author=ada, title="two")
    drain()
    assert [entry["title"] for entry in feed_manager.get_feed("timeline", grace).get()["results"]] == ["one"]

    feed_manager.unfollow_feed(grace.pk, "user", ada.pk)
    assert feed_manager.get_feed("timeline", grace).get()["results"] == []


def test_a_cursor_of_nobodys_is_a_page_that_does_not_exist(articles: list[Article], grace: User) -> None:
    with pytest.raises(Http404, match="'zzz' is no place in timeline:"):
        feeds.timeline(grace).page(cursor="zzz")


@pytest.mark.parametrize("nobody", [None, User(), AnonymousUser()], ids=["None", "unsaved", "not signed in"])
def test_nobody_has_no_feed(nobody: Any) -> None:
    with pytest.raises(ValueError, match="has no primary key, and so no feed"):
        feeds.timeline(nobody)


def test_a_notice_of_a_reaction_shows_the_row_that_was_reacted_to(ada: User, grace: User) -> None:
    article = Article.objects.create(author=ada, title="one")
    Opinion.objects.create(user=grace, article=article, text="fine")
    drain()

    (group,) = feeds.notifications(ada).page()

    assert (group["activities"][0]["actor"], group["activities"][0]["object"]) == (grace, article)
    assert feeds.feed(f"user:{ada.pk}").page().activities[0]["object"] == article


def test_asynchronous_views_have_a_page_of_their_own(articles: list[Article], grace: User) -> None:
    async def view() -> feeds.Page:
        with pytest.raises(SynchronousOnlyOperation, match="use `await ….apage"):
            feeds.timeline(grace).page()
        with pytest.raises(SynchronousOnlyOperation, match="sync_to_async"):
            feeds.unseen(grace)
        return await feeds.timeline(grace).apage(limit=2)

    assert shown(async_to_sync(view)()) == articles[:2]


def test_a_page_with_reactions_shows_rows_all_the_same(ada: User, grace: User, settings: Any) -> None:
    settings.STREAM_MISSING_OBJECTS = "placeholder"
    member = Member.objects.create(email="m", name="Mia")
    album = Album.objects.create(owner=ada, title="Blue")
    article = Article.objects.create(author=ada, title="one")
    Opinion.objects.create(user=grace, article=article, text="fine")
    foreign = {"actor": "SU:testapp-member-m", "verb": "x", "object": "SO:elsewhere:1", "target": "SU:nobody"}
    drain()
    feed_manager.get_user_feed(ada).add_activity(foreign)

    newest, of_article, of_album = feeds.profile(ada).page(reactions={"counts": True})

    assert (of_album["object"], of_article["object"], newest["actor"]) == (album, article, member)
    assert of_article["reaction_counts"] == {"opinion": 1}
    assert newest["object"]["reference"] == "SO:elsewhere:1", "it stands for no row of this site"
    assert newest.missing == {"target": "SU:nobody"}
    (group,) = feeds.notifications(ada).page(reactions={"counts": True})
    assert group["activities"][0]["object"] == article


def all_of(reader: feeds.FeedReader, **options: Any) -> list[Any]:
    page = reader.page(limit=2, **options)
    found = [*page]
    while page.next:
        page = reader.page(limit=2, cursor=page.next, **options)
        found += page
    return found


def test_a_ranked_feed_is_read_to_its_end(articles: list[Article], grace: User, settings: Any) -> None:
    ranking = {"popular": {"score": "popularity", "defaults": {"popularity": 0}}}
    timeline = {"kind": "flat", "ranking": ranking}
    settings.STREAM_SERVER_FEED_GROUPS = {**settings.STREAM_SERVER_FEED_GROUPS, "timeline": timeline}

    assert [one["object"] for one in all_of(feeds.timeline(grace), ranking="popular")] == articles


def test_groups_that_others_add_to_are_met_once(ada: User, grace: User) -> None:
    Subscription.objects.create(reader=grace, writer=ada)
    reader = feeds.FeedReader(feed_manager.get_feed("timeline_aggregated", grace))
    user = feed_manager.get_user_feed(ada)
    for day in range(5):
        user.add_activity(
            {"actor": "a", "verb": f"v{day}", "object": "x", "time": f"2026-01-0{5 - day}T12:00:00"}
        )
    drain()
    feed_manager.follow_user(grace.pk, ada.pk)
    page = reader.page(limit=2)
    met = [group["verb"] for group in page]
    while page.next:
        user.add_activity({"actor": "a", "verb": "v4", "object": page.next})
        page = reader.page(limit=2, cursor=page.next)
        met += [group["verb"] for group in page]

    assert met == ["v0", "v1", "v2", "v3", "v4"]


@pytest.mark.parametrize("cursor", ["offset=x", "offset=-1", "offset=2&session=x", "id_lt=x", "session=%00"])
def test_a_place_that_is_none_is_a_page_that_does_not_exist(
    articles: list[Article], grace: User, cursor: str
) -> None:
    with pytest.raises(Http404, match="is no place in timeline:"):
        feeds.timeline(grace).page(cursor=cursor, ranking="popular")


def test_a_cursor_names_a_place_and_nothing_else(articles: list[Article], grace: User) -> None:
    page = feeds.timeline(grace).page(limit=3, cursor="offset=1&limit=100&mark_seen=true&user_id=ada&id_gt=x")

    assert shown(page) == articles[1:4]

"""A viewer sees, and is counted, what `visible_to`, mutes and blocks leave; nothing of the rest shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.template import engines
from django.test import RequestFactory
from rest_framework.test import APIRequestFactory, force_authenticate

from django_stream import feeds
from django_stream.activities.checks.visibility import check_visibility
from django_stream.api import FeedView
from django_stream.database.batches import batched
from django_stream.enrich import Enrich
from django_stream.feeds import feed_manager
from django_stream.feeds.selection import Selection
from django_stream.publishing.publisher import publishers_of
from django_stream.tracking import (
    activities_paused,
    drain,
    record,
    register_blocks,
    register_mutes,
    register_visibility,
)
from tests.testapp.models import (
    Article,
    Block,
    Fan,
    Moment,
    Mute,
    Opinion,
    Praise,
    Quote,
    Subscription,
    Whisper,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("people")]


@pytest.fixture
def mia(make_user: Callable[[str], User]) -> User:
    return make_user("mia")


def texts(page: feeds.Page) -> list[str]:
    return [activity["object"].text for activity in page]


def moment(author: User, text: str, audience: str = "all", **more: Any) -> Moment:
    return Moment.objects.create(author=author, text=text, audience=audience, **more)


def test_each_viewer_sees_another_profile(ada: User, grace: User, mia: User) -> None:
    Subscription.objects.create(reader=grace, writer=ada)
    for audience in ("all", "followers", "self"):
        moment(ada, audience, audience)
    drain()

    seen = {
        viewer: texts(feeds.profile(ada, viewer).page()) for viewer in (None, AnonymousUser(), mia, grace)
    }
    assert list(seen.values()) == [["all"], ["all"], ["all"], ["followers", "all"]]
    assert texts(feeds.profile(ada, viewer=ada).page()) == ["self", "followers", "all"]
    assert texts(feeds.profile(ada).page()) == ["all"], "who says nothing of a viewer shows it to visitors"
    assert texts(feeds.profile(ada).seen_by(feeds.SEES_ALL).page()) == ["self", "followers", "all"]
    assert texts(feeds.timeline(grace).page()) == ["followers", "all"]
    assert texts(feeds.timeline(grace.pk).page()) == ["followers", "all"], "a key stands for its user"
    assert texts(feeds.timeline(10**9).page()) == []


def test_a_page_is_filled_up_where_much_is_hidden(ada: User, grace: User) -> None:
    """Nine of ten are hidden, and pages are full, and none shows what another has shown."""
    Subscription.objects.create(reader=grace, writer=ada)
    for number in range(60):
        moment(ada, str(number), "all" if number % 10 == 0 else "self")
    drain()

    first = feeds.timeline(grace).page(limit=4)
    second = feeds.timeline(grace).page(limit=4, cursor=first.next)

    assert (texts(first), texts(second)) == (["50", "40", "30", "20"], ["10", "0"])
    assert second.next is None


def test_groups_are_filled_up_too(ada: User, grace: User) -> None:
    for day in range(1, 9):
        moment(ada, str(day), "self" if day % 3 else "all", created_at=f"2026-01-0{day}T12:00:00Z")
    drain()
    feed_manager.follow_user(grace, ada)
    reader = feeds.timeline(grace, "timeline_aggregated")

    first = reader.page(limit=1)
    second = reader.page(limit=1, cursor=first.next)

    shown = [
        [one["object"].text for group in page for one in group["activities"]] for page in (first, second)
    ]
    assert shown == [["6"], ["3"]]


@pytest.mark.parametrize("relation", [Mute, Block])
def test_muted_and_blocked_authors_are_nowhere(ada: User, grace: User, mia: User, relation: Any) -> None:
    Subscription.objects.create(reader=grace, writer=mia)
    shown = moment(mia, "by mia")
    by_ada = moment(ada, "by ada")
    Praise.objects.create(by=mia, moment=by_ada)
    praise = Praise.objects.create(by=ada, moment=shown)
    Quote.objects.create(user=mia, praise=praise)
    at_ada = moment(mia, "at ada", at=ada)
    drain()
    assert len(feeds.timeline(grace).page()) == 4
    relation.objects.create(by=grace, of=ada)

    page = feeds.timeline(grace).page()

    assert [(one["object"], one["target"]) for one in page] == [(at_ada, ""), (shown, "")]
    assert "target" not in page[0].missing
    assert len(feeds.timeline(mia).page()) == len(feeds.timeline(mia).seen_by(feeds.SEES_ALL).page())
    by_ada_ = feeds.profile(ada, viewer=grace).page()
    assert list(by_ada_) == []
    by_grace = moment(grace, "by grace")
    drain()
    page = feeds.profile(grace, viewer=ada).page()
    assert [one["object"] for one in page] == ([] if relation is Block else [by_grace])


def test_a_page_of_ones_own_leaves_out_whom_a_block_hides(ada: User, grace: User, mia: User) -> None:
    Mute.objects.create(by=grace, of=mia)
    Block.objects.create(by=ada, of=grace)
    moments = [moment(ada, "a"), moment(mia, "m"), moment(mia, "secret", "self")]

    assert list(feeds.visible_to(grace, Moment.objects.all())) == [moments[1]]
    assert set(feeds.visible_to(grace, User.objects.all())) == {grace, mia}
    assert set(feeds.visible_to(None, User.objects.all())) == {ada, grace, mia}


def test_a_block_unfollows_both_ways(ada: User, grace: User, mia: User) -> None:
    for reader, writer in ((ada, grace), (grace, ada), (mia, ada)):
        Subscription.objects.create(reader=reader, writer=writer)
    moment(ada, "by ada")
    drain()
    assert len(feeds.timeline(grace).page()) == 1

    Block.objects.create(by=ada, of=grace)
    drain()

    assert list(Subscription.objects.values_list("reader", "writer")) == [(mia.pk, ada.pk)]
    assert feed_manager.get_feed("timeline", grace).get()["results"] == []


def test_a_block_may_leave_follows_alone(ada: User, grace: User) -> None:
    register_blocks(Block, by="by", of="of", unfollow=False)
    Subscription.objects.create(reader=grace, writer=ada)
    Block.objects.create(by=ada, of=grace)
    assert Subscription.objects.count() == 1


def test_what_is_no_relation_is_refused() -> None:
    with pytest.raises(TypeError, match=r"testapp.Moment.text is no foreign key"):
        register_mutes(Moment, by="text", of="author")
    with pytest.raises(TypeError, match=r"testapp.Praise.moment must lead to users"):
        register_mutes(Praise, by="moment", of="by")
    with pytest.raises(TypeError, match=r"lead to different models, and a block is mutual"):
        register_blocks(Fan, by="follower", of="followed")


def test_a_badge_counts_what_the_page_shows(ada: User, grace: User, mia: User) -> None:
    for day, (author, audience) in enumerate([(ada, "all"), (ada, "self"), (mia, "all"), (mia, "self")], 1):
        moment(author, "x", audience, created_at=f"2026-01-0{day}T12:00:00Z").mentioned.add(grace)
    drain()

    def counted() -> tuple[int, int, int | None, int | None]:
        page = feeds.notifications(grace).page()
        return feeds.unseen(grace), len(page), page.unseen, page.unread

    assert counted() == (2, 2, 2, 2)
    Mute.objects.create(by=grace, of=ada)
    assert counted() == (1, 1, 1, 1)
    Mute.objects.create(by=grace, of=mia)
    assert counted() == (0, 0, 0, 0)
    Mute.objects.all().delete()
    page = feeds.notifications(grace).page(limit=1, mark_seen=True, mark_read=[])
    assert (len(page), feeds.unseen(grace)) == (1, 0)
    following = feeds.notifications(grace).page(limit=1, cursor=page.next)
    assert (following.unseen, following.unread) == (0, 2), "counts are of the whole feed on each page of it"


def test_a_badge_of_many_reads_a_few_times(
    ada: User, grace: User, django_assert_max_num_queries: Any
) -> None:
    for day in range(1, 29):
        moment(ada, "x", created_at=f"2026-01-{day:02}T12:00:00Z").mentioned.add(grace)
    drain()
    assert feeds.unseen(grace) == 28  # the first to look puts them into groups
    # Three of them for what the user has dismissed, does not want, and was told of.
    with django_assert_max_num_queries(13):
        assert feeds.unseen(grace) == 28


def test_the_last_that_waits_is_found_by_one_more_read(
    ada: User, grace: User, django_assert_max_num_queries: Any
) -> None:
    for day in range(1, 29):
        moment(ada, "x", created_at=f"2026-01-{day:02}T12:00:00Z").mentioned.add(grace)
    drain()
    newest = [group["id"] for group in feeds.notifications(grace).page(limit=28)][:27]
    feeds.notifications(grace).page(limit=1, mark_seen=newest)
    with django_assert_max_num_queries(13):
        assert feeds.unseen(grace) == 1


def flood(owner: User, author: User, count: int) -> None:
    """So many entries of the owner's notifications, each a group of its own."""
    start = datetime(2024, 1, 1, 12, tzinfo=UTC)
    with activities_paused():
        moments = [
            moment(author, "x", created_at=start + timedelta(days=day + flooded(owner)))
            for day in range(count)
        ]
    entries = [
        {
            "actor": f"auth.User:{author.pk}",
            "verb": "moment",
            "object": f"testapp.Moment:{one.pk}",
            "foreign_id": f"testapp.Moment:{one.pk}",
            "time": one.created_at,
        }
        for one in moments
    ]
    feed = feed_manager.get_notification_feed(owner)
    for some in batched(entries, 100):
        feed.add_activities(some)


def flooded(owner: User) -> int:
    return int(feeds.notifications(owner).size(most=1000))


def test_a_badge_counts_nothing_hidden_however_many_wait(ada: User, grace: User, mia: User) -> None:
    """Below a flood of a muted person's, what a page finds is counted, and what it does not find is not."""
    flood(grace, ada, 4)
    flood(grace, mia, 130)
    assert (feeds.unseen(grace), feeds.notifications(grace).page().unseen) == (100, 100), "at least so many"
    Mute.objects.create(by=grace, of=mia)

    page = feeds.notifications(grace).page()

    assert (len(page), page.unseen, page.unread, feeds.unseen(grace)) == (4, 4, 4, 4)
    Mute.objects.all().delete()
    Mute.objects.create(by=grace, of=ada)
    assert feeds.unseen(grace) == 100
    Mute.objects.create(by=grace, of=mia)
    assert feeds.unseen(grace) == 0


def test_where_nothing_can_be_hidden_all_are_counted(ada: User, grace: User) -> None:
    start = datetime(2024, 1, 1, 12, tzinfo=UTC)
    for some in batched(range(120), 100):
        feed_manager.get_notification_feed(grace).add_activities(
            [
                {"actor": f"auth.User:{ada.pk}", "verb": "met", "object": "x", "time": start + timedelta(day)}
                for day in some
            ]
        )
    assert feeds.unseen(grace) == 120
    Mute.objects.create(by=grace, of=User.objects.create(username="other"))
    assert feeds.unseen(grace) == 100, "of the older ones nobody has looked whose they are"
    badge = engines["django"].from_string("{% load django_stream %}{% notification_badge %}")
    request = RequestFactory().get("/")
    request.user = grace
    assert "99+<span" in badge.render({}, request)


def test_a_group_says_the_number_that_it_stands_for(ada: User, grace: User, make_user: Any) -> None:
    liked = moment(ada, "liked")
    fans = [make_user(f"fan{number}") for number in range(18)]
    for fan in fans[:4]:
        Praise.objects.create(by=fan, moment=liked)
    drain()
    Mute.objects.create(by=ada, of=fans[0])

    (group,) = feeds.notifications(ada).page()
    assert (group["activity_count"], group["actor_count"], len(group["activities"])) == (3, 3, 3)
    assert "has_more" not in group

    for fan in fans[4:]:
        Praise.objects.create(by=fan, moment=liked)
    drain()
    (group,) = feeds.notifications(ada).page()
    assert (group["activity_count"], group["actor_count"], group["has_more"]) == (15, 15, True)


def test_a_large_group_is_counted_whole_where_nothing_can_be_hidden(ada: User, make_user: Any) -> None:
    articles = [Article.objects.create(author=make_user(f"fan{number}"), title="x") for number in range(18)]
    for article in articles:
        article.mentioned.add(ada)
    drain()
    with activities_paused():
        articles[-1].delete()

    (group,) = feeds.notifications(ada).page()

    assert (group["activity_count"], group["actor_count"], len(group["activities"])) == (17, 17, 14)
    assert "has_more" not in group


def reactions_of(viewer: Any, author: User, **asked: Any) -> Any:
    asked = asked or {"counts": True, "recent": True}
    return feeds.profile(author, viewer=viewer).page(reactions=asked)[0]


def test_reactions_of_the_hidden_are_neither_listed_nor_counted(ada: User, grace: User, mia: User) -> None:
    one = moment(ada, "one")
    for user in (grace, mia):
        Whisper.objects.create(user=user, moment=one, secret=user == mia)
    drain()

    def seen(viewer: Any) -> tuple[list[str], Any]:
        found = reactions_of(viewer, ada)
        return [who["user_id"] for who in found["latest_reactions"]["whisper"]], found["reaction_counts"]

    assert seen(ada) == ([str(grace.pk)], {"whisper": 1})
    assert seen(mia) == ([str(mia.pk), str(grace.pk)], {"whisper": 2})
    assert seen(feeds.SEES_ALL)[1] == {"whisper": 2}
    Mute.objects.create(by=mia, of=grace)
    assert seen(mia) == ([str(mia.pk)], {"whisper": 1})
    counts_alone = reactions_of(mia, ada, counts=True)
    assert counts_alone["reaction_counts"] == {"whisper": 1}, "counted by the site's own rows"


def test_a_reaction_to_a_reaction_is_hidden_likewise(ada: User, grace: User, mia: User) -> None:
    Article.objects.create(author=ada, title="one")
    drain()
    client = feed_manager.client
    activity_id = feed_manager.get_user_feed(ada).get()["results"][0]["id"]
    comment = client.reactions.add("comment", activity_id, str(grace.pk))
    client.reactions.add_child("like", comment["id"], str(mia.pk))
    Mute.objects.create(by=ada, of=mia)

    shown = reactions_of(ada, ada)["latest_reactions"]["comment"][0]
    assert (shown["latest_children"], shown["children_counts"]) == ({"like": []}, {"like": 0})
    Mute.objects.create(by=ada, of=grace)
    hidden = reactions_of(ada, ada)
    assert (hidden["latest_reactions"], hidden["reaction_counts"]) == ({"comment": []}, {"comment": 0})
    assert reactions_of(ada, ada, counts=True)["reaction_counts"] == {}, "nothing tells how many are visible"


def test_a_notice_of_a_hidden_reaction_is_hidden(ada: User, grace: User) -> None:
    article = Article.objects.create(author=ada, title="one")
    Opinion.objects.create(user=grace, article=article, text="fine")
    drain()
    assert len(feeds.notifications(ada).page()) == 1

    register_visibility(Opinion, lambda viewer, rows: rows.filter(user=viewer.pk))

    assert (len(feeds.notifications(ada).page()), feeds.unseen(ada)) == (0, 0)
    assert reactions_of(ada, ada)["latest_reactions"] == {"opinion": []}
    assert len(reactions_of(grace, ada)["latest_reactions"]["opinion"]) == 1


def test_a_model_of_others_says_it_by_a_call(ada: User, grace: User) -> None:
    Article.objects.create(author=ada, title="one")
    drain()
    register_visibility("testapp.Article", lambda viewer, rows: rows.filter(author=viewer.pk))

    assert (len(feeds.profile(ada, viewer=ada).page()), len(feeds.profile(ada, viewer=grace).page())) == (
        1,
        0,
    )
    register_visibility(Article, lambda viewer, rows: None)
    with pytest.raises(TypeError, match=r"visible_to of testapp.Article must return a queryset"):
        feeds.profile(ada).page()


@pytest.mark.parametrize("policy", ["placeholder", "raise"])
def test_what_is_hidden_has_no_placeholder(ada: User, grace: User, settings: Any, policy: str) -> None:
    settings.STREAM_MISSING_OBJECTS = policy
    moment(ada, "secret", "self")
    gone = moment(ada, "gone")
    drain()
    assert [one["object"] for one in feeds.profile(ada, viewer=grace).page()] == [gone]
    reference = f"testapp.Moment:{gone.pk}"
    with activities_paused():
        gone.delete()

    if policy == "raise":
        with pytest.raises(feeds.MissingObject):
            feeds.profile(ada, viewer=grace).page()
    else:
        (entry,) = feeds.profile(ada, viewer=grace).page()
        assert entry.missing == {"object": reference}


@pytest.mark.parametrize("size", [1, 20])
def test_a_page_with_a_viewer_costs_as_many_queries_as_it_shows_models(
    ada: User, grace: User, size: int, django_assert_num_queries: Any
) -> None:
    """Moments and users, each with its condition, and once the mutes and the blocks among their people."""
    page = [
        {"id": str(n), "actor": f"auth.User:{ada.pk}", "object": f"testapp.Moment:{moment(ada, 'x').pk}"}
        for n in range(size)
    ]
    strangers = User.objects.bulk_create(User(username=f"stranger{number}") for number in range(50 * size))
    Mute.objects.bulk_create(Mute(by=grace, of=one) for one in strangers)
    with django_assert_num_queries(4):
        entries = Enrich(viewer=grace).enrich_activities(page)
    assert all(entry.can_be_shown for entry in entries)


def test_json_shows_what_the_request_may_see(ada: User, grace: User, rf: RequestFactory) -> None:
    moment(ada, "secret", "self")
    moment(ada, "open")
    drain()

    class Profile(FeedView):
        def reader(self, request: Any, **captures: str) -> feeds.FeedReader:
            return feeds.profile(ada)

    for viewer, expected in ((grace, ["open"]), (ada, ["open", "secret"])):
        request = APIRequestFactory().get("/")
        force_authenticate(request, viewer)
        answer = Profile.as_view()(request)
        assert [one["text"] for one in answer.data["results"]] == expected


def test_a_ranked_feed_is_filled_up_and_read_to_its_end(ada: User, grace: User, settings: Any) -> None:
    ranking = {"popular": {"score": "popularity", "defaults": {"popularity": 0}}}
    user = {"kind": "flat", "ranking": ranking}
    settings.STREAM_SERVER_FEED_GROUPS = {**settings.STREAM_SERVER_FEED_GROUPS, "user": user}
    for number in range(20):
        moment(ada, str(number), "all" if number % 5 == 0 else "self")
    drain()
    reader = feeds.profile(ada, viewer=grace)

    first = reader.page(limit=2, ranking="popular")
    second = reader.page(limit=3, cursor=first.next, ranking="popular")

    assert (texts(first), texts(second)) == (["15", "10"], ["5", "0"])


def test_fields_of_ones_own_that_look_like_reactions_break_nothing(ada: User, grace: User) -> None:
    Mute.objects.create(by=grace, of=ada)
    hostile = {"id": "1", "actor": "x", "verb": {}, "object": "reaction:1", "foreign_id": "reaction:1"}
    selection = Selection(feed_manager.client, Enrich(viewer=grace))
    for value in ({"like": "text"}, {"like": [1]}, "text", [1], {"like": [{"id": 1}]}, None):
        (entry,) = selection.choose([{**hostile, "latest_reactions": value, "reaction_counts": value}])
        assert entry["latest_reactions"] == value


def test_a_check_finds_what_pages_could_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_visibility() == []

    monkeypatch.setattr(Moment, "visible_to", lambda self, viewer: True)
    register_visibility(Article, lambda rows: rows)

    assert [(one.id, one.hint) for one in check_visibility()] == [
        ("django_stream.E080", "Put @staticmethod above it."),
        ("django_stream.E080", "It is called with a viewer and a queryset: visible_to(viewer, rows)."),
    ]


def test_pages_of_ones_own_leave_out_whose_authors_only_code_tells(ada: User, grace: User, mia: User) -> None:
    """A query cannot, and says so; a list can."""
    praises = [Praise.objects.create(by=user, moment=moment(ada, "x")) for user in (ada, mia, grace)]
    hidden = moment(grace, "y", "self")
    Block.objects.create(by=mia, of=grace)

    with pytest.raises(TypeError, match=r"give visible_to a list"):
        feeds.visible_to(grace, Praise.objects.all())
    for viewer, seen in ((grace, [praises[0], praises[2]]), (mia, praises[:2]), (None, praises)):
        assert feeds.visible_to(viewer, praises) == seen
    assert feeds.visible_to(ada, [hidden, *praises]) == praises, "visible_to of the model is asked as well"
    assert feeds.visible_to(grace, []) == []


@pytest.mark.parametrize("kind", [Mute, Block])
def test_reactions_whose_users_only_code_tells_are_hidden_with_them(
    kind: type[Any], ada: User, grace: User, mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (publisher,) = publishers_of(Whisper)
    told = replace(publisher.declaration, user=lambda whisper: whisper.user)
    monkeypatch.setattr(publisher, "declaration", told)
    said = moment(ada, "x")
    for user in (grace, mia):
        Whisper.objects.create(user=user, moment=said)
    drain()
    kind.objects.create(by=ada, of=mia)

    def shown(viewer: Any) -> tuple[list[str], int]:
        found = reactions_of(viewer, ada)
        listed = [str(one["user_id"]) for one in found["latest_reactions"].get("whisper", [])]
        return sorted(listed), found["reaction_counts"].get("whisper", 0)

    both = sorted([str(grace.pk), str(mia.pk)])
    assert shown(grace) == (both, 2)
    assert shown(ada) == ([str(grace.pk)], 1)
    if kind is Mute:
        assert shown(mia) == (both, 2)


def test_recorded_activities_are_of_their_actors(ada: User, grace: User, mia: User) -> None:
    """Their actor is a text in a column; a group is nobody's user, whatever its key."""
    club = Group.objects.create(pk=mia.pk, name="chess")
    for actor in (grace, mia, club):
        feed_manager.follow_feed(ada, "user", actor)
        record(actor=actor, verb="met")
    drain()
    Mute.objects.create(by=ada, of=mia)

    actors = [one["actor"] for one in feeds.timeline(ada).page()]
    assert actors == [club, grace]


def test_a_row_that_can_not_tell_its_author_spoils_no_page(
    ada: User, grace: User, mia: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    said = moment(mia, "x")
    good, bad = (Praise.objects.create(by=mia, moment=said) for _ in "gb")

    def told(row: Praise) -> User:
        if row.pk == bad.pk:
            raise LookupError("nobody knows")
        return row.by

    monkeypatch.setattr(Praise, "activity_actor_attr", property(told))
    assert feeds.visible_to(ada, [good, bad, said]) == [good, bad, said], "she hides nobody"
    Block.objects.create(by=ada, of=grace)
    assert feeds.visible_to(ada, [good, bad, said]) == [good, said]
    assert f"Praise:{bad.pk} is" in caplog.text

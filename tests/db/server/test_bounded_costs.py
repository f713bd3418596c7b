"""What a request costs does not depend on what others have stored: rows, bytes and statements have limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_stream.protocol import limits
from django_stream.server.actions import placements, removals
from django_stream.server.conf import server_settings
from django_stream.server.models import Activity, Exclusion, FanoutJob, Feed, Follow, Placement, ReactionCount
from django_stream.server.reads import latest_reactions
from django_stream.server.timelines import copies, group_changes, unfollows
from tests.contract.calling import Api, follow, ids, ok, post, refusal

pytestmark = pytest.mark.django_db
react = Api().react
TIME = "2026-01-01T00:00:00.000000"
LARGE = {"text": "x" * 5_000}


@pytest.fixture
def small_answers(settings: Any) -> None:
    settings.STREAM_SERVER_ANSWER_BYTES_MAX = 20_000


@pytest.fixture
def large_user() -> None:
    ok("POST", "user/", {"id": "big", "data": LARGE})


def pages_of(path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """The pages of a list, by the `next` of each."""
    while True:
        page = ok("GET", path, **query)
        yield page
        if not page["next"]:
            return
        path, _, text = page["next"].partition("?")
        path = path.partition("/v1.0/")[2]
        query = {name: value for name, value in parse_qsl(text) if name != "api_key"}


# Bytes of an answer


@pytest.mark.usefixtures("small_answers", "large_user")
@pytest.mark.parametrize("feed", ["user:1", "aggregated:1", "notification:1"])
def test_a_page_of_large_objects_is_short_and_the_next_one_goes_on(feed: str) -> None:
    sent = [post(feed, verb=f"v{number}", object="SU:big", target="SU:big")["id"] for number in range(12)]

    found, sizes = [], []
    for page in pages_of(f"enrich/feed/{feed.replace(':', '/')}/", limit=12):
        activities = [one for item in page["results"] for one in item.get("activities", [item])]
        found += activities
        sizes.append(len(activities))

    assert [activity["id"] for activity in found] == sent[::-1]
    assert all(one[name]["data"] == LARGE for one in found for name in ("object", "target"))
    assert max(sizes) <= 4


@pytest.mark.usefixtures("small_answers", "large_user")
def test_a_ranked_page_goes_on_likewise(settings: Any) -> None:
    ranking = {"popular": {"score": "popularity"}}
    settings.STREAM_SERVER_FEED_GROUPS = {"user": {"kind": "flat", "ranking": ranking}}
    sent = {post("user:1", object="SU:big", target="SU:big", popularity=5)["id"] for _ in range(12)}

    pages = [*pages_of("enrich/feed/user/1/", limit=12, ranking="popular")]

    found = [activity["id"] for page in pages for activity in page["results"]]
    assert len(pages) > 2
    assert sorted(found) == sorted(sent)


@pytest.mark.usefixtures("small_answers")
def test_one_activity_is_shown_however_large_it_is() -> None:
    for number in range(10):
        ok("POST", "user/", {"id": f"big{number}", "data": LARGE})
    post("user:1", **{f"field{number}": f"SU:big{number}" for number in range(10)})

    (activity,) = ok("GET", "enrich/feed/user/1/")["results"]

    assert all(activity[f"field{number}"]["data"] == LARGE for number in range(10))


@pytest.mark.usefixtures("small_answers", "large_user")
def test_reactions_are_counted_with_their_users() -> None:
    sent = [post("user:1")["id"] for _ in range(4)]
    for activity in sent:
        for _ in range(2):
            react(activity, user="big", data=LARGE)

    pages = [*pages_of("enrich/feed/user/1/", limit=4, withRecentReactions="true")]

    assert [activity["id"] for page in pages for activity in page["results"]] == sent[::-1]
    assert len(pages) == 4


@pytest.mark.usefixtures("small_answers", "large_user")
def test_a_list_of_large_reactions_goes_on() -> None:
    activity = post("user:1")["id"]
    for _ in range(6):
        react(activity, user="big", data=LARGE)

    pages = [*pages_of(f"reaction/activity_id/{activity}/", limit=6)]

    found = [reaction["id"] for page in pages for reaction in page["results"]]
    assert len(found) == len(set(found)) == 6
    assert len(pages) > 1


@pytest.mark.parametrize("length", [0, 2_000, 2_048, 3_000, 60_000])
def test_what_is_fetched_late_is_what_comes_at_once(length: int) -> None:
    data = {"text": "ü" * (length // 2), "n": 1}
    ok("POST", "user/", {"id": "bob", "data": data})
    ok("POST", "collections/food/", {"id": "soup", "data": data})
    activity = post("user:1", object="SO:food:soup", target="SU:bob", actor="SU:bob")["id"]
    reaction = react(activity, data=data)["id"]
    Api().answer_to(reaction, data=data)
    post("user:1", object=f"SR:{reaction}")

    about, first = ok("GET", "enrich/feed/user/1/", withRecentReactions="true")["results"]

    liked = first["latest_reactions"]["like"][0]
    below = liked["latest_children"]["like"][0]
    users = [first["actor"], first["target"], liked["user"], below["user"]]
    assert [one["data"] for one in (*users, first["object"], liked, below, about["object"])] == [data] * 8


def test_many_large_objects_are_fetched_some_at_a_time(django_assert_max_num_queries: Any) -> None:
    for number in range(40):
        ok("POST", "user/", {"id": f"big{number}", "data": LARGE})
        post("user:1", object=f"SU:big{number}")
    with django_assert_max_num_queries(30):
        found = ok("GET", "enrich/feed/user/1/", limit=40)["results"]
    assert [one["object"]["data"] for one in found] == [LARGE] * 40


@pytest.mark.parametrize("most", [1, 4, 7, 30])
def test_reactions_that_are_too_many_at_once_come_in_parts(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        activity = post("user:1")["id"]
        for kind in ("like", "comment"):
            Api().answer_to(react(activity, kind)["id"], kind)
    wanted = ok("GET", "enrich/feed/user/1/", withRecentReactions="true", withReactionCounts="true")
    monkeypatch.setattr(latest_reactions, "ROWS_MAX", most)

    found = ok("GET", "enrich/feed/user/1/", withRecentReactions="true", withReactionCounts="true")

    assert [one["id"] for one in found["results"]] == [one["id"] for one in wanted["results"]]
    assert (found == wanted) == (most > 1)  # of a single activity not more than that


def test_lists_of_reactions_are_taken_apart_likewise(monkeypatch: pytest.MonkeyPatch) -> None:
    activity = post("user:1")["id"]
    for _ in range(4):
        parent = react(activity)["id"]
        for _ in range(2):
            Api().answer_to(parent)
    wanted = ok("GET", f"reaction/activity_id/{activity}/")
    monkeypatch.setattr(latest_reactions, "ROWS_MAX", 3)
    assert ok("GET", f"reaction/activity_id/{activity}/") == wanted


@pytest.mark.usefixtures("small_answers")
def test_the_reactions_of_one_activity_end_where_the_answer_is_twice_too_large() -> None:
    activity = post("user:1")["id"]
    for number in range(15):
        react(activity, kind=f"kind{number}", data=LARGE)

    (one,) = ok("GET", "enrich/feed/user/1/", withRecentReactions="true")["results"]

    assert 4 <= sum(map(len, one["latest_reactions"].values())) <= 9


@pytest.mark.usefixtures("small_answers")
def test_counts_of_many_kinds_are_counted() -> None:
    for _ in range(3):
        key = post("user:1")["id"]
        application = Activity.objects.all()[0].application
        ReactionCount.objects.bulk_create(
            ReactionCount(application=application, activity=key, kind=f"k{number}", count=1)
            for number in range(200)
        )
    pages = [*pages_of("enrich/feed/user/1/", limit=3, withReactionCounts="true")]
    assert [len(page["results"]) for page in pages] == [2, 1]


@pytest.mark.usefixtures("small_answers", "large_user")
def test_activities_by_id_come_all_and_the_later_ones_as_they_are_stored() -> None:
    sent = [post("user:1", object="SU:big", target="SU:big")["id"] for _ in range(5)]

    found = ok("GET", "enrich/activities/", ids=",".join(sent))["results"]

    assert [activity["id"] for activity in found] == sent
    assert found[0]["object"]["data"] == LARGE
    assert found[-1]["object"] == "SU:big"


@pytest.mark.usefixtures("small_answers", "large_user")
def test_reactions_by_id_say_how_many_fit() -> None:
    activity = post("user:1")["id"]
    made = [react(activity, user="big", data=LARGE)["id"] for _ in range(6)]

    status, _, detail = refusal("GET", "reaction/get_many/", ids=",".join(made))

    assert status == 400
    assert "ask for 2 or fewer" in detail


# Rows of a transaction


def test_many_small_followings_are_one_large_fanout(
    settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = 6
    targets = [f"user:t{number}" for number in range(4)]
    pairs = [{"source": f"timeline:{n}", "target": target} for target in targets for n in range(2)]
    ok("POST", "follow_many/", pairs)

    with django_capture_on_commit_callbacks(execute=True):
        activity = post("user:1", to=targets)["id"]
        assert FanoutJob.objects.count() == 4
        assert ids("user:t0") == [activity]
        assert ids("timeline:0") == []

    assert ids("timeline:0") == ids("timeline:1") == [activity]
    assert not FanoutJob.objects.exists()


def test_activities_count_as_well_as_followers(
    settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.STREAM_SERVER_FANOUT_INLINE_MAX = 6
    ok("POST", "follow_many/", [{"source": f"timeline:{n}", "target": "user:1"} for n in range(3)])
    activities = [{"actor": "a", "verb": "v", "object": str(number)} for number in range(4)]

    with django_capture_on_commit_callbacks(execute=True):
        ok("POST", "feed/user/1/", {"activities": activities[:2]})
        assert len(ids("timeline:2")) == 2
        ok("POST", "feed/user/1/", {"activities": activities})
        assert len(ids("timeline:2")) == 2

    assert len(ids("timeline:2")) == 6


# Statements


@pytest.mark.parametrize(
    ("side", "other"), [("source", "user"), ("target", "timeline"), ("target", "aggregated")]
)
def test_following_many_takes_as_many_statements_as_following_few(side: str, other: str) -> None:
    def pairs(of: str, count: int) -> list[dict[str, str]]:
        hub = f"{of}hub"
        if side == "target":
            return [{"source": f"{other}:{of}{n}", "target": f"user:{hub}"} for n in range(count)]
        return [{"source": f"timeline:{hub}", "target": f"{other}:{of}{n}"} for n in range(count)]

    few, many = pairs("few", 3), pairs("many", 40)
    for feed in {pair["target"] for pair in [*few, *many]}:
        post(feed)

    assert statements_of("POST", "follow_many/", many) == statements_of("POST", "follow_many/", few)
    assert Follow.objects.count() == 43
    assert statements_of("POST", "unfollow_many/", many) == statements_of("POST", "unfollow_many/", few)
    assert not Follow.objects.exists()


@pytest.mark.parametrize("few", [2000, 5], ids=["at once", "in steps"])
def test_follows_that_copy_much_into_groups_take_it_along_when_they_end(
    monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(copies, "_MANY", 2)
    monkeypatch.setattr(unfollows, "LOOKED_UP", few)
    monkeypatch.setattr(unfollows, "AT_ONCE", few)
    monkeypatch.setattr(group_changes, "AT_ONCE", 4)
    sent = {name: [post(f"user:{name}")["id"] for _ in range(3)] for name in ("a", "b", "c")}
    sources = ["aggregated:1", "aggregated:2", "timeline:1"]
    pairs = [{"source": source, "target": f"user:{name}"} for source in sources for name in sent]

    ok("POST", "follow_many/", pairs)
    for source in ("aggregated/1", "aggregated/2"):
        for _ in range(2):  # each takes so many of the nine
            ok("GET", f"feed/{source}/")
        groups = ok("GET", f"feed/{source}/")["results"]
        found = {activity["id"] for group in groups for activity in group["activities"]}
        assert found == {one for some in sent.values() for one in some}
        assert sum(group["activity_count"] for group in groups) == 9
        assert max(group["actor_count"] for group in groups) == 1

    ok("POST", "unfollow_many/", pairs)
    assert unfollows.resume(idle_seconds=-1) == (1 if few == 5 else 0)
    for _ in range(2):
        ok("GET", "feed/aggregated/1/")
    assert ok("GET", "feed/aggregated/1/")["results"] == []
    assert ids("timeline:1") == []


# Names


@pytest.mark.parametrize(("path", "user"), [("followers", "user/hub"), ("follows", "timeline/hub")])
def test_a_filter_may_hold_so_many_names(path: str, user: str) -> None:
    names = [f"timeline:{number}" for number in range(limits.FOLLOW_FILTER_MAX)]
    ok("POST", "feed/timeline/7/follows/", {"target": "user:hub"})
    ok("POST", "feed/timeline/hub/follows/", {"target": "user:7"})
    api = Api()

    found = api.ok("GET", f"feed/{user}/{path}/", filter=",".join([*names[1:], "user:7"]))["results"]
    assert len(found) == 1

    answer = api.call("GET", f"feed/{user}/{path}/", filter=",".join([*names, "user:7"]))
    assert answer.status == 400
    assert "filter may hold at most 1000 items" in answer.body["detail"]


# What many things make


def statements_of(method: str, path: str, body: Any = None, **query: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        ok(method, path, body, **query)
    return len(captured)


def test_removing_by_a_foreign_id_takes_as_many_statements_for_many_activities() -> None:
    follow("timeline:1", "user:1")
    follow("aggregated:1", "user:1")
    for foreign_id, count in (("few", 3), ("many", 40)):
        for number in range(count):
            time = f"2026-01-01T00:00:{number:02}.000000"
            post("user:1", foreign_id=foreign_id, time=time, to=["notification:2"])

    few = statements_of("DELETE", "feed/user/1/few/", foreign_id=1)
    many = statements_of("DELETE", "feed/user/1/many/", foreign_id=1)

    assert few == many
    assert [ids(feed) for feed in ("user:1", "timeline:1", "aggregated:1", "notification:2")] == [[]] * 4


def test_a_removal_by_a_foreign_id_asks_nothing_twice() -> None:
    follow("timeline:1", "user:1")
    post("user:1", foreign_id="photo:1", to=["notification:2"])

    with CaptureQueriesContext(connection) as captured:
        ok("DELETE", "feed/user/1/photo:1/", foreign_id=1)

    asked = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    assert len(asked) == len(set(asked))
    where_it_is = [sql for sql in asked if Placement._meta.db_table in sql and "targeted" in sql.lower()]
    assert len(where_it_is) == 1


def test_more_than_one_transaction_takes_off_are_all_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removals, "_AT_ONCE", 3)
    for number in range(10):
        post("user:1", foreign_id="x", time=f"2026-01-01T00:00:{number:02}.000000")

    ok("DELETE", "feed/user/1/x/", foreign_id=1)

    assert ids("user:1") == []


def test_deleting_a_reaction_takes_as_many_statements_for_many_children() -> None:
    activity = post("user:1")["id"]
    api = Api()
    counts = []
    for count in (3, 30):
        parent = react(activity)["id"]
        for number in range(count):
            api.answer_to(parent, user=f"u{number}", target_feeds=[f"user:t{number % 3}", "notification:n"])
        counts.append(statements_of("DELETE", f"reaction/{parent}/"))

    assert counts[0] == counts[1]
    assert [ids(f"user:t{number}") for number in range(3)] == [[]] * 3
    assert ids("notification:n") == []


def test_more_exclusions_than_an_expression_is_deep_are_lifted_at_once() -> None:
    feed = Feed.objects.create(application_id=server_settings.own_app_id, slug="timeline", user_id="1")
    follow("timeline:1", "user:1")
    sent = [{"actor": "a", "verb": "v", "object": "o", "time": TIME} for _ in range(100)]
    parts = [[one | {"foreign_id": f"{part}:{n}"} for n, one in enumerate(sent)] for part in range(12)]
    for activities in parts:
        ok("POST", "feed/user/1/", {"activities": activities})
    keys = Activity.objects.values_list("key", flat=True)
    Exclusion.objects.bulk_create([Exclusion(feed=feed, key=key) for key in keys])

    placements.place({feed.pk: feed}, {feed.pk: keys})

    assert not Exclusion.objects.exists()


@pytest.mark.usefixtures("small_answers")
def test_entries_by_name_say_how_many_fit() -> None:
    entries = [{"id": str(number), "data": LARGE} for number in range(9)]
    ok("POST", "collections/", {"data": {"food": entries}})
    names = [f"food:{number}" for number in range(9)]

    status, _, detail = refusal("GET", "collections/", foreign_ids=",".join(names))

    assert status == 400
    assert "ask for 4 or fewer" in detail
    assert len(ok("GET", "collections/", foreign_ids=",".join(names[:4]))["response"]["data"]) == 4


def test_moving_many_activities_takes_as_many_statements_as_moving_few() -> None:
    path, counts = "feed_targets/user/1/activity_to_targets/", []
    for name, count in (("few", 3), ("many", 30)):
        changes = [
            {"foreign_id": f"{name}{n}", "time": TIME, "new_targets": [f"user:t{n}"]} for n in range(count)
        ]
        for change in changes:
            post("user:1", foreign_id=change["foreign_id"], time=TIME, to=["notification:n"])
            post(change["new_targets"][0])
        counts.append(statements_of("POST", path, changes))

    assert counts[0] == counts[1]
    assert ids("notification:n") == []


def test_an_edit_reaches_any_number_of_followed_feeds() -> None:
    """SQLite takes 500 parts in one statement."""
    feeds = [f"user:f{number}" for number in range(510)]
    item = {"actor": "a", "verb": "v", "object": "o", "foreign_id": "p:1", "time": TIME}
    ok("POST", "feed/add_to_many/", {"activity": item, "feeds": [*feeds, "notification:1"]})
    ok("POST", "follow_many/", [{"source": "aggregated:1", "target": feed} for feed in feeds])
    (group,) = ok("GET", "feed/notification/1/")["results"]
    ok("POST", "activities/", {"activities": [{**item, "verb": "w"}]})
    (changed,) = ok("GET", "feed/notification/1/")["results"]
    assert (group["verb"], changed["verb"]) == ("v", "w")


def test_a_removal_looks_at_nothing_that_others_posted_under_the_same_name(
    django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """foreign_ids can be guessed: of 100 others with the same one, none is locked or looked at."""
    monkeypatch.setattr(removals, "_AT_ONCE", 3)
    mine = [post("user:me", foreign_id="tweet:1", time=f"2026-01-01T00:00:0{n}")["id"] for n in range(2)]
    for number in range(100):
        post("user:eve", foreign_id="tweet:1", time=f"2026-01-02T00:{number // 60:02}:{number % 60:02}")
    follow("timeline:you", "user:me")

    with django_assert_max_num_queries(40):
        assert ok("DELETE", "feed/timeline/you/tweet:1/", foreign_id=1) == {"removed": "tweet:1"}
    assert ids("timeline:you") == []
    assert ids("user:me") == mine[::-1]
    with django_assert_max_num_queries(40):
        assert ok("DELETE", "feed/user/me/tweet:1/", foreign_id=1) == {"removed": "tweet:1"}
    assert ids("user:me") == []
    assert len(ids("user:eve", limit=100)) == 100
    assert ok("DELETE", "feed/user/nobody/tweet:1/", foreign_id=1) == {}

"""What is deleted softly, hidden or not forwarded is nowhere to be seen, and comes back when it should."""

from __future__ import annotations

from typing import Any

import pytest

from django_stream.server.maintenance import rebuild
from django_stream.server.models import ActivityGroup, ActivityGroupEntry, Exclusion, Feed
from tests.contract.calling import Api, follow, ids, ok, path_of, post

pytestmark = pytest.mark.django_db

TIME = "2026-01-01T10:00:00"
api = Api()
EVERYTHING = {
    "withRecentReactions": "true",
    "withOwnReactions": "true",
    "withFirstReactions": "true",
    "withReactionCounts": "true",
    "withOwnChildren": "true",
    "user_id": "bob",
}


def told(value: Any) -> set[str]:
    """The ids of all reactions in an answer, however deep."""
    if isinstance(value, dict):
        inner = set().union(*map(told, value.values())) if value else set()
        return inner | ({value["id"]} if "kind" in value and "activity_id" in value else set())
    return set().union(*map(told, value)) if isinstance(value, list) and value else set()


@pytest.fixture
def liked() -> str:
    """An activity with reactions on two levels, of which every second one is deleted softly."""
    activity = post("user:1", foreign_id="a", time=TIME)["id"]
    for number in range(4):
        api.react(activity, id=f"r{number}")
        for below in range(4):
            api.answer_to(f"r{number}", id=f"r{number}.{below}")
    for reaction in ("r1", "r3", "r0.1", "r0.3", "r2.1", "r2.3"):
        ok("DELETE", f"reaction/{reaction}/", soft="true")
    return activity


SHOWN = {"r0", "r2", "r0.0", "r0.2", "r2.0", "r2.2"}


@pytest.mark.parametrize("kinds", [{}, {"reaction_kinds_filter": "like"}], ids=["all kinds", "some"])
def test_softly_deleted_reactions_are_on_no_enriched_page(liked: str, kinds: dict[str, str]) -> None:
    [entry] = api.enriched("user:1", **EVERYTHING, **kinds)
    latest, own = entry["latest_reactions"]["like"], entry["own_reactions"]["like"]
    assert [one["id"] for one in latest] == [one["id"] for one in own] == ["r2", "r0"]
    assert [one["id"] for one in latest[0]["latest_children"]["like"]] == ["r2.2", "r2.0"]
    assert [one["id"] for one in latest[0]["own_children"]["like"]] == ["r2.2", "r2.0"]
    assert told(entry) == SHOWN
    assert entry["reaction_counts"] == {"like": 2}


@pytest.mark.parametrize("own", [{}, {"with_own_children": "true", "user_id": "bob"}], ids=["", "own"])
def test_softly_deleted_reactions_are_in_no_list(liked: str, own: dict[str, str]) -> None:
    for path, expected in (
        (f"reaction/activity_id/{liked}/", SHOWN),
        (f"reaction/activity_id/{liked}/like/", SHOWN),
        ("reaction/reaction_id/r0/", {"r0.0", "r0.2"}),
        ("reaction/user_id/bob/", SHOWN),
        ("reaction/user_id/bob/like/", SHOWN),
    ):
        assert told(ok("GET", path, **own)["results"]) == expected, path
    assert told(ok("GET", "reaction/r0/", **own)) == {"r0", "r0.0", "r0.2"}
    assert told(ok("GET", "reaction/get_many/", ids="r0,r1")) >= {"r0"}
    assert "r1" not in told(ok("GET", "reaction/get_many/", ids="r0,r1"))


def test_a_softly_deleted_reaction_is_no_referenced_object(liked: str) -> None:
    post("user:2", object="SR:r0")
    post("user:2", object="SR:r1")
    gone, there = api.enriched("user:2")
    assert there["object"]["id"] == "r0"
    assert told([gone, there]) == {"r0", "r0.0", "r0.2"}


def test_a_reaction_that_was_deleted_by_itself_stays_so_when_its_parent_comes_back(liked: str) -> None:
    ok("DELETE", "reaction/r0/", soft="true")
    ok("PUT", "reaction/r0/restore/")
    assert told(api.enriched("user:1", **EVERYTHING)) == SHOWN


@pytest.mark.parametrize("by", ["the feed", "a target", "many"])
def test_what_a_feed_has_hidden_is_shown_when_it_is_posted_there(by: str) -> None:
    follow("timeline:1", "user:1")
    fields = {"foreign_id": "a", "time": TIME}
    activity = post("user:1", **fields)["id"]
    ok("DELETE", f"feed/timeline/1/{activity}/")
    assert ids("timeline:1") == []
    if by == "the feed":
        post("timeline:1", **fields)
    elif by == "a target":
        post("user:1", **fields, to=["timeline:1"])
    else:
        body = {"actor": "eric", "verb": "tweet", "object": "1", **fields}
        ok("POST", "feed/add_to_many/", {"activity": body, "feeds": ["timeline:1"]})
    assert ids("timeline:1") == [activity]
    assert not Exclusion.objects.exists()
    rebuild(Feed.objects.get(slug="timeline"))
    assert ids("timeline:1") == [activity]


def test_only_what_is_posted_there_is_shown_again() -> None:
    """Two activities are hidden on two feeds, and each is posted to one of them."""
    for name in ("timeline:1", "timeline:2"):
        follow(name, "user:1")
    one, two = (post("user:1", foreign_id=name, time=TIME)["id"] for name in "ab")
    for feed in (1, 2):
        for activity in (one, two):
            ok("DELETE", f"feed/timeline/{feed}/{activity}/")
    body = {"actor": "eric", "verb": "tweet", "object": "1", "time": TIME}
    pairs = [("a", "timeline:1"), ("b", "timeline:2")]
    activities = [{**body, "foreign_id": name, "to": [target]} for name, target in pairs]
    ok("POST", "feed/user/8/", {"activities": activities})
    assert (ids("timeline:1"), ids("timeline:2")) == ([one], [two])
    assert Exclusion.objects.count() == 2


def test_a_hidden_activity_stays_hidden_through_a_rebuild() -> None:
    for name in ("timeline:1", "aggregated:1"):
        follow(name, "user:1")
    gone, kept = (post("user:1", foreign_id=name, time=TIME, verb=name)["id"] for name in "ab")
    for name in ("timeline:1", "aggregated:1"):
        ok("DELETE", f"{path_of(name)}{gone}/")
        slug, user_id = name.split(":")
        rebuild(Feed.objects.get(slug=slug, user_id=user_id))
        assert ids(name) == [kept]


def test_a_rebuild_takes_out_of_the_groups_what_does_not_belong_there() -> None:
    follow("aggregated:1", "user:1")
    kept = post("user:1", foreign_id="a", time=TIME)["id"]
    lost = post("user:2", foreign_id="b", time=TIME, verb="like")
    feed = Feed.objects.get(slug="aggregated")
    ok("GET", "feed/aggregated/1/")
    [right] = ActivityGroup.objects.all()
    key = ActivityGroupEntry.objects.get().key
    # As a fault of the server or of an operator would have left them.
    wrong = ActivityGroup.objects.create(
        feed=feed.pk,
        name="wrong",
        newest=key,
        activity_count=7,
        created_at=right.created_at,
        updated_at=right.updated_at,
    )
    ActivityGroupEntry.objects.filter(feed=feed.pk).update(group_id=wrong.pk)
    stray = key.__class__(int=key.int + 1)
    ActivityGroupEntry.objects.create(feed=feed.pk, key=stray, group_id=right.pk)
    rebuild(feed)
    [group] = ok("GET", "feed/aggregated/1/")["results"]
    assert (group["group"], group["activity_count"]) == (right.name, 1)
    assert [one["id"] for one in group["activities"]] == [kept] != [lost["id"]]
    assert ActivityGroupEntry.objects.count() == ActivityGroup.objects.count() == 1


def test_a_copy_limit_counts_only_what_followers_may_have() -> None:
    forwarded = [
        post("user:1", foreign_id=f"f{hour}", time=f"2026-01-0{hour}T00:00:00")["id"] for hour in (1, 2)
    ]
    body = {"actor": "eric", "verb": "tweet", "object": "1"}
    for day in range(3, 8):
        activity = {**body, "foreign_id": f"m{day}", "time": f"2026-01-0{day}T00:00:00"}
        ok("POST", "feed/add_to_many/", {"activity": activity, "feeds": ["user:1"]})
    follow("timeline:1", "user:1", activity_copy_limit=2)
    assert ids("timeline:1") == forwarded[::-1]

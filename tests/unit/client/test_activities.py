"""Activities over the client: answers, batches and refusals."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from django_stream.client import StreamClient, meta
from django_stream.client.exceptions import ConflictException, InputException, ValidationError
from tests.unit.client.requests_seen import API, seen

TWEET = {"actor": "1", "verb": "tweet", "object": "1"}
TIME = datetime(2026, 1, 31, 12, 30, 15, 250, UTC)
KNOWN = {**TWEET, "foreign_id": "tweet:1", "time": TIME}
FEED = f"{API}feed/user/1/"


def sizes(mocked: responses.RequestsMock, name: str) -> list[int]:
    bodies = [json.loads(call.request.body) for call in mocked.calls]
    return [len(body[name] if name else body) for body in bodies]


def test_the_answer_s_known_times_are_datetimes_and_custom_ones_stay_text(
    client: StreamClient, mocked: responses.RequestsMock
) -> None:
    stored = {**TWEET, "id": "x", "time": "2018-12-21T09:45:42.455925", "due": "2018-12-21T09:45:42.455925"}
    mocked.add("POST", FEED, json={**stored, "duration": "1ms"}, status=201)

    added = client.feed("user", "1").add_activity(TWEET)

    assert added["time"] == datetime(2018, 12, 21, 9, 45, 42, 455925, UTC)
    assert added["due"] == "2018-12-21T09:45:42.455925"


def test_rate_limit_and_request_id_are_reachable_on_results(
    client: StreamClient, mocked: responses.RequestsMock
) -> None:
    headers = {"x-ratelimit-limit": "1000", "x-ratelimit-remaining": "999", "x-ratelimit-reset": "1893456000"}
    mocked.add("GET", FEED, json={"results": []}, headers={**headers, "X-Request-ID": "abc"})

    about = meta(client.feed("user", "1").get())

    assert about.rate_limit is not None
    assert (about.rate_limit.limit, about.rate_limit.remaining) == (1000, 999)
    assert about.rate_limit.reset == datetime(2030, 1, 1, tzinfo=UTC)
    assert (about.status, about.request_id) == (200, "abc")


def test_no_activities_are_no_request(client: StreamClient, mocked: responses.RequestsMock) -> None:
    assert client.feed("user", "1").add_activities([]) is None
    assert len(mocked.calls) == 0


def test_more_than_100_activities_go_in_several_requests_and_come_back_as_one_answer(
    client: StreamClient, mocked: responses.RequestsMock
) -> None:
    def echo(request: Any) -> tuple[int, dict[str, str], str]:
        return 201, {}, json.dumps({"activities": json.loads(request.body)["activities"], "duration": "1ms"})

    mocked.add_callback("POST", FEED, echo)
    activities = [{**TWEET, "object": str(number)} for number in range(250)]

    added = client.feed("user", "1").add_activities(iter(activities))

    assert sizes(mocked, "activities") == [100, 100, 50]
    assert added is not None
    assert [item["object"] for item in added["activities"]] == [str(number) for number in range(250)]


def test_an_error_inside_a_split_batch_says_how_much_was_sent(
    client: StreamClient, mocked: responses.RequestsMock
) -> None:
    mocked.add("POST", FEED, json={"activities": []}, status=201)
    mocked.add("POST", FEED, json={"detail": "no", "code": 22}, status=409)

    with pytest.raises(ConflictException) as refused:
        client.feed("user", "1").add_activities([TWEET] * 150)

    assert refused.value.done == 100
    assert refused.value.__notes__ == ["the first 100 of 150 entries were sent before this error"]


def test_updates_are_split_by_100(client: StreamClient, mocked: responses.RequestsMock) -> None:
    mocked.add("POST", f"{API}activities/", json={"duration": "1ms"}, status=201)

    assert client.update_activities([KNOWN] * 101) == {"duration": "1ms"}

    assert sizes(mocked, "activities") == [100, 1]


def test_reads_by_id_are_split_by_100_and_joined(
    client: StreamClient, mocked: responses.RequestsMock
) -> None:
    def echo(request: Any) -> tuple[int, dict[str, str], str]:
        [ids] = seen(request).query["ids"]
        return 200, {}, json.dumps({"results": [{"id": id} for id in ids.split(",")]})

    mocked.add_callback("GET", f"{API}activities/", echo)
    ids = [str(number) for number in range(230)]

    assert [item["id"] for item in client.get_activities(ids=ids)["results"]] == ids
    assert len(mocked.calls) == 3


def test_partial_updates_are_split_by_100_and_joined(
    client: StreamClient, mocked: responses.RequestsMock
) -> None:
    mocked.add("POST", f"{API}activity/", json={"activities": [{"id": "a"}]}, status=201)

    changed = client.activities_partial_update([{"id": "a", "set": {"b": 1}}] * 120)

    assert sizes(mocked, "changes") == [100, 20]
    assert changed["activities"] == [{"id": "a"}, {"id": "a"}]


def test_add_to_many_is_split_where_the_activity_stays_the_same_one(
    client: StreamClient, mocked: responses.RequestsMock
) -> None:
    mocked.add("POST", f"{API}feed/add_to_many/", json={"duration": "1ms"}, status=201)
    feeds = [f"user:{number}" for number in range(5001)]

    client.add_to_many(KNOWN, feeds)
    with pytest.raises(ValidationError, match="5001 entries; at most 5000"):
        client.add_to_many(TWEET, feeds)

    assert sizes(mocked, "feeds") == [5000, 1]


def test_ids_of_any_kind_are_read_as_text(client: StreamClient, mocked: responses.RequestsMock) -> None:
    mocked.add("GET", FEED, json={"results": []})

    client.feed("user", "1").get(id_lt=17, mark_seen=("a.b", "c.d"), ranking_vars={"music": 1})

    query = seen(mocked.calls[0].request).query
    assert query == {
        "api_key": ["the-key"],
        "id_lt": ["17"],
        "mark_seen": ["a.b,c.d"],
        "ranking_vars": ['{"music": 1}'],
    }


def test_every_reaction_option_has_its_parameter(
    client: StreamClient, mocked: responses.RequestsMock
) -> None:
    mocked.add("GET", f"{API}enrich/feed/user/1/", json={"results": []})

    client.feed("user", "1").get(
        reactions={
            "first": True,
            "own_children": True,
            "own_children_kinds": "like",
            "recent_limit": 7,
            "counts": False,
        }
    )

    query = seen(mocked.calls[0].request).query
    assert query == {
        "api_key": ["the-key"],
        "withFirstReactions": ["True"],
        "withOwnChildren": ["True"],
        "withOwnChildrenKinds": ["like"],
        "recentReactionsLimit": ["7"],
    }


@pytest.mark.parametrize(
    "foreign_id", ["a b", "50%", "a?b=c", "a#b", "tweet:1", "a/b", "https://example.com/1", "é"]
)
def test_any_foreign_id_arrives_whole(
    client: StreamClient, mocked: responses.RequestsMock, foreign_id: str
) -> None:
    mocked.add("DELETE", _anything(), json={"removed": foreign_id})

    client.feed("user", "1").remove_activity(foreign_id=foreign_id)

    request = seen(mocked.calls[0].request)
    assert request.url == f"{FEED}{foreign_id}/"
    assert request.query == {"api_key": ["the-key"], "foreign_id": ["1"]}


REFUSED: dict[str, tuple[Any, str]] = {
    "activity without actor": (lambda c: feed(c).add_activity({"verb": "a", "object": "1"}), "actor"),
    "activity without verb": (lambda c: feed(c).add_activity({**TWEET, "verb": ""}), "verb"),
    "second activity without object": (
        lambda c: feed(c).add_activities([TWEET, {**TWEET, "object": None}]),
        "object",
    ),
    "activity that is no mapping": (lambda c: feed(c).add_activity("tweet"), "activity"),
    "activities that are one": (lambda c: feed(c).add_activities(TWEET), "activities"),
    "activities as text": (lambda c: c.update_activities("tweet"), "activities"),
    "to as text": (lambda c: feed(c).add_activity({**TWEET, "to": "user:1"}), "to"),
    "to without colon": (lambda c: feed(c).add_activity({**TWEET, "to": ["user1"]}), "to"),
    "to with a number": (lambda c: feed(c).add_activity({**TWEET, "to": [7]}), "to"),
    "101 targets": (lambda c: feed(c).add_activity({**TWEET, "to": ["user:1"] * 101}), "to"),
    "unencodable value": (lambda c: feed(c).add_activity({**TWEET, "a": {"b": [object()]}}), "a.b[0]"),
    "update without time": (lambda c: c.update_activities([{**TWEET, "foreign_id": "a"}]), "foreign_id"),
    "removal of nothing": (lambda c: feed(c).remove_activity(), "activity_id"),
    "removal by both": (lambda c: feed(c).remove_activity("a", foreign_id="b"), "activity_id"),
    "activities by nothing": (lambda c: c.get_activities(), "ids"),
    "activities by both": (lambda c: c.get_activities(ids=["a"], foreign_id_times=[("a", TIME)]), "ids"),
    "pair of one": (lambda c: c.get_activities(foreign_id_times=[("a",)]), "foreign_id_times"),
    "id with a comma": (lambda c: c.get_activities(ids=["a,b"]), "ids"),
    "empty id": (lambda c: c.get_activities(ids=[""]), "ids"),
    "page too large": (lambda c: feed(c).get(limit=101), "limit"),
    "negative offset": (lambda c: feed(c).get(offset=-1), "offset"),
    "limit as text": (lambda c: feed(c).get(limit="5"), "limit"),
    "misspelt reaction option": (lambda c: feed(c).get(reactions={"count": True}), "reactions"),
    "reactions as a list": (lambda c: feed(c).get(reactions=["like"]), "reactions"),
    "recent_limit too large": (lambda c: feed(c).get(reactions={"recent_limit": 26}), "recent_limit"),
    "unencodable query": (lambda c: feed(c).get(session=object()), "session"),
    "change of nothing": (lambda c: c.activity_partial_update(set={"a": 1}), "id"),
    "change by both": (
        lambda c: c.activity_partial_update(id="a", foreign_id="b", time=TIME, set={"a": 1}),
        "id",
    ),
    "change that is no mapping": (lambda c: c.activities_partial_update(["a"]), "changes"),
    "set that is no mapping": (lambda c: c.activities_partial_update([{"id": "a", "set": ["a"]}]), "set"),
    "unset as text": (lambda c: c.activity_partial_update(id="a", unset="b"), "unset"),
    "26 keys set": (
        lambda c: c.activity_partial_update(id="a", set={str(number): 1 for number in range(26)}),
        "set",
    ),
    "26 keys unset": (lambda c: c.activity_partial_update(id="a", unset=list(map(str, range(26)))), "unset"),
    "set of time": (lambda c: c.activity_partial_update(id="a", set={"time": TIME}), "set"),
    "unset of actor": (lambda c: c.activity_partial_update(id="a", unset=["actor"]), "unset"),
    "one key in both": (lambda c: c.activity_partial_update(id="a", set={"b": 1}, unset=["b"]), "unset"),
    "inner key in both": (
        lambda c: c.activity_partial_update(id="a", set={"b.c": 1}, unset=["b"]),
        "unset",
    ),
    "outer key in both": (
        lambda c: c.activity_partial_update(id="a", set={"b": 1}, unset=["b.c"]),
        "unset",
    ),
    "targets of nothing": (lambda c: feed(c).update_activity_to_targets("a", TIME), "new_targets"),
    "new and added targets": (
        lambda c: feed(c).update_activity_to_targets("a", TIME, ["user:1"], ["user:2"]),
        "new_targets",
    ),
    "target added and removed": (
        lambda c: feed(c).update_activity_to_targets(
            "a", TIME, added_targets=["user:2"], removed_targets=["user:2"]
        ),
        "added_targets",
    ),
}


def feed(client: StreamClient) -> Any:
    return client.feed("user", "1")


def _anything() -> re.Pattern[str]:
    return re.compile(".*")


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_with_its_field_before_anything_is_sent(
    client: StreamClient, mocked: responses.RequestsMock, name: str
) -> None:
    call, field = REFUSED[name]

    with pytest.raises(ValidationError) as refused:
        call(client)

    assert refused.value.field == field
    assert isinstance(refused.value, InputException)
    assert len(mocked.calls) == 0


def test_near_misses_of_options_are_named(client: StreamClient) -> None:
    with pytest.raises(ValidationError, match="did you mean 'counts'"):
        client.feed("user", "1").get(reactions={"count": True})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(ValidationError, match="there are counts, first"):
        client.feed("user", "1").get(reactions={"xyzzy": True})  # type: ignore[typeddict-unknown-key]

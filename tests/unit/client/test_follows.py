"""Follows over the client."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from django_stream.client import StreamClient
from django_stream.client.exceptions import ValidationError
from tests.unit.client.requests_seen import API, seen

FOLLOWS = f"{API}feed/timeline/1/follows/"


@pytest.mark.parametrize("target", [("user", "2"), ("user", 2), ("user:2",), "feed"])
def test_a_target_may_be_given_in_every_form(
    client: StreamClient, mocked: responses.RequestsMock, target: Any
) -> None:
    mocked.add("POST", FOLLOWS, json={"duration": "1ms"}, status=201)

    client.feed("timeline", "1").follow(*((client.feed("user:2"),) if target == "feed" else target))

    assert seen(mocked.calls[0].request).json == {"target": "user:2"}


def test_follows_come_with_their_times(client: StreamClient, mocked: responses.RequestsMock) -> None:
    follow = {"feed_id": "timeline:1", "target_id": "user:2", "created_at": "2021-05-14T19:58:27.274792063Z"}
    mocked.add("GET", FOLLOWS, json={"results": [follow]})

    [found] = client.feed("timeline", "1").following(feeds=["user:2"])["results"]

    assert found["created_at"] == datetime(2021, 5, 14, 19, 58, 27, 274792, UTC)
    assert seen(mocked.calls[0].request).query["filter"] == ["user:2"]


@pytest.mark.parametrize("name", ["follow_many", "unfollow_many"])
def test_many_follows_are_split_by_2500(
    client: StreamClient, mocked: responses.RequestsMock, name: str
) -> None:
    mocked.add("POST", f"{API}{name}/", json={"duration": "1ms"}, status=201)

    getattr(client, name)([{"source": "timeline:1", "target": "user:2"}] * 2501)

    assert [len(json.loads(call.request.body)) for call in mocked.calls] == [2500, 1]


REFUSED: dict[str, tuple[Any, str]] = {
    "slug with a blank": (lambda c: c.feed("us er", "1"), "feed_slug"),
    "user id with a dot": (lambda c: c.feed("user", "a.b"), "user_id"),
    "no user id": (lambda c: c.feed("user"), "user_id"),
    "target slug": (lambda c: c.feed("user", "1").follow("a b", "1"), "feed_slug"),
    "target without user": (lambda c: c.feed("user", "1").follow("user"), "target"),
    "copy limit too large": (lambda c: c.feed("user", "1").follow("user", "2", 1001), "activity_copy_limit"),
    "copy limit as truth": (lambda c: c.feed("user", "1").follow("user", "2", True), "activity_copy_limit"),
    "offset out of reach": (lambda c: c.feed("user", "1").followers(offset=401), "offset"),
    "filter of no feeds": (lambda c: c.feed("user", "1").followers(feeds=["user1"]), "feeds"),
    "follow without target": (lambda c: c.follow_many([{"source": "a:1"}]), "target"),
    "follow with a number": (lambda c: c.unfollow_many([{"source": "a:1", "target": 1}]), "target"),
    "follow that is no mapping": (lambda c: c.follow_many([("a:1", "b:1")]), "follows"),
    "copy limit of an entry": (
        lambda c: c.follow_many([{"source": "a:1", "target": "b:1", "activity_copy_limit": -1}]),
        "activity_copy_limit",
    ),
    "stats of no feed": (lambda c: c.follow_stats("user1"), "feed_id"),
    "recipients without colon": (lambda c: c.feed("user", "1").add_to_signature(["user2"]), "recipients"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_is_refused_with_its_field_before_anything_is_sent(
    client: StreamClient, mocked: responses.RequestsMock, name: str
) -> None:
    call, field = REFUSED[name]

    with pytest.raises(ValidationError) as refused:
        call(client)

    assert refused.value.field == field
    assert len(mocked.calls) == 0

"""The feeds that a scoped token names: exactly those, in every spelling."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.calling import call, token

pytestmark = pytest.mark.django_db

GROUPS = ("timeline", "timeline_aggregated", "user", "news", "news1")


@pytest.fixture(autouse=True)
def groups(settings: Any) -> None:
    settings.STREAM_SERVER_FEED_GROUPS = {slug: {"kind": "flat"} for slug in GROUPS}


def opens(claim: str, feed: str) -> bool:
    signed = token({"resource": "feed", "action": "read", "feed_id": claim})
    answer = call("GET", f"feed/{feed.replace(':', '/')}/", auth=signed)
    assert answer.status in (200, 403), answer.body
    return answer.status == 200


@pytest.mark.parametrize(
    ("claim", "feed"),
    [
        ("*", "user:1"),
        ("user:1", "user:1"),
        ("user1", "user:1"),
        ("timeline:_aggregated1", "timeline:_aggregated1"),
        ("timeline_aggregated:1", "timeline_aggregated:1"),
        ("timeline_aggregated1", "timeline_aggregated:1"),
        ("news1234", "news1:234"),
        ("user:1,news:2", "news:2"),
        ("user1,news2", "news:2"),
    ],
)
def test_a_claim_opens_the_feed_that_it_names(claim: str, feed: str) -> None:
    assert opens(claim, feed)


@pytest.mark.parametrize(
    ("claim", "feed"),
    [
        ("timeline:_aggregated1", "timeline_aggregated:1"),
        ("timeline_aggregated:1", "timeline:_aggregated1"),
        ("timeline_aggregated1", "timeline:_aggregated1"),
        ("news1234", "news:1234"),
        ("news:1234", "news1:234"),
        ("user:1", "user:11"),
        ("user:11", "user:1"),
        ("user1", "user:11"),
        ("user:1 x", "user:1"),
        ("USER:1", "user:1"),
        ("user::1", "user:1"),
        (":user1", "user:1"),
        ("", "user:1"),
        (",", "user:1"),
    ],
)
def test_and_no_other(claim: str, feed: str) -> None:
    assert not opens(claim, feed)


def test_any_pair_of_feeds_is_told_apart_by_the_colon() -> None:
    names = [f"{slug}:{owner}" for slug in GROUPS for owner in ("1", "11", "_aggregated1", "1234", "234")]
    assert {(a, b) for a in names for b in names if opens(a, b)} == {(name, name) for name in names}

"""Ranked pages: what one activity says never decides whether the others are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.calling import ok, post, refusal

pytestmark = pytest.mark.django_db

POPULAR = {"score": "decay_linear(time) * popularity ^ 0.5", "defaults": {"popularity": 4}}
BARE = {"score": "popularity ^ 0.5"}
HOSTILE = [-1, "abc", "7", [1], {}, None, 1e18, -1e18, True, "1e999"]


@pytest.fixture(autouse=True)
def groups(settings: Any) -> None:
    ranking = {"popular": POPULAR, "bare": BARE}
    settings.STREAM_SERVER_FEED_GROUPS = {"user": {"ranking": ranking}, "timeline": {"ranking": ranking}}


def page(feed: str = "timeline/1", **query: Any) -> dict[str, Any]:
    return ok("GET", f"feed/{feed}/", **{"ranking": "popular"} | query)


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
@pytest.mark.parametrize("method", ["popular", "bare"])
def test_a_hostile_value_spoils_no_page(value: Any, method: str, caplog: pytest.LogCaptureFixture) -> None:
    ok("POST", "feed/timeline/1/follows/", {"target": "user:eve"})
    fair = [post("timeline:1", popularity=number)["id"] for number in (1, 9)]
    hostile = post("user:eve", actor="eve", popularity=value)["id"]

    found = page(ranking=method)["results"]

    assert {one["id"] for one in found} == {*fair, hostile}
    scores = {one["id"]: one["score"] for one in found}
    assert scores[fair[1]] > scores[fair[0]]
    if scores[hostile] is None:
        assert found[-1]["id"] == hostile
        assert hostile in caplog.text


def test_a_value_that_the_formula_cannot_use_is_replaced_by_the_default() -> None:
    for value in (-1, "abc", "7", [1]):
        post("timeline:1", popularity=value)
    assert [round(one["score"], 3) for one in page()["results"]] == [2.0] * 4


@pytest.mark.parametrize("ahead", [timedelta(seconds=30), timedelta(days=1)], ids=str)
def test_an_activity_that_is_dated_ahead_is_there_too(ahead: timedelta) -> None:
    late = post("timeline:1", time=(datetime.now(UTC) + ahead).isoformat())["id"]
    posted = {late, *(post("timeline:1")["id"] for _ in range(3))}

    assert {one["id"] for one in page()["results"]} == posted
    first = page(limit=2)
    second = ok("GET", first["next"].removeprefix("/api/v1.0/").partition("?")[0], **_query(first["next"]))
    seen = [one["id"] for one in first["results"] + second["results"]]
    assert (set(seen), len(seen)) == (posted, 4)


def test_pages_of_a_session_neither_repeat_nor_skip_while_others_post() -> None:
    posted = [post("timeline:1", popularity=number)["id"] for number in range(1, 6)]
    found, query = [], {"limit": 2}
    while query:
        answer = page(**query)
        found += [one["id"] for one in answer["results"]]
        post("timeline:1", popularity=99)
        query = _query(answer["next"]) if answer["next"] else {}
    assert found == posted[::-1]


@pytest.mark.parametrize(
    "session", ["-1", "zzzzzzzzzzz", "zzzzzzzzzzzz", "9" * 400, "!", "１", "0-", "0-xyz", "0-" + "f" * 33]
)
def test_a_session_that_was_not_given_out_is_refused(session: str) -> None:
    post("timeline:1")
    assert refusal("GET", "feed/timeline/1/", ranking="popular", session=session)[:2] == (400, 4)


def test_a_variable_that_the_request_lacks_is_told() -> None:
    post("timeline:1")
    assert refusal("GET", "feed/timeline/1/", ranking="bare")[:2] == (400, 11)


def _query(address: str) -> dict[str, Any]:
    from urllib.parse import parse_qsl, urlsplit

    return dict(parse_qsl(urlsplit(address).query))

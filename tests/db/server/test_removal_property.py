"""Any foreign_id that POST accepts can be removed by it, and nothing else is."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from django_stream.client import StreamClient
from django_stream.protocol.credentials import EMBEDDED_API_KEY
from django_stream.server.conf import server_settings
from django_stream.server.transport import EmbeddedTransport
from tests.contract.calling import Api

pytestmark = pytest.mark.django_db

api = Api()
numbers = itertools.count()
# Whatever paths are made of is likelier than by chance.
pieces = st.sampled_from(
    ["/", "//", ".", "..", ":", "https://", "%2F", "%", "?", "#", "&", "\\", " ", "\n", "follows", "user:1"]
)
foreign_ids = st.lists(pieces | st.text(max_size=4), min_size=1, max_size=8).map("".join).filter(bool)


@given(foreign_id=foreign_ids, other=foreign_ids)
@example(foreign_id="https://blog.example.org/p/1", other="https:/blog.example.org/p/1")
@example(foreign_id="follows/user:1", other="/follows/user:1/")
@example(foreign_id="\x85", other="\u2028/")
@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
def test_what_is_posted_can_be_removed(foreign_id: str, other: str) -> None:
    number = next(numbers)
    path = f"feed/user/{number}/"
    fields = {"actor": "a", "verb": "v", "object": "o"}
    if api.call("POST", path, {**fields, "foreign_id": foreign_id}).status != 201:
        return
    if api.call("POST", path, {**fields, "foreign_id": other}).status != 201:
        other = foreign_id
    assert api.ok("DELETE", f"{path}{foreign_id}/", foreign_id="1") == {"removed": foreign_id}
    assert {item["foreign_id"] for item in api.page(f"user:{number}")} == {other} - {foreign_id}


@pytest.mark.parametrize("foreign_id", ["https://blog.example.org/p/1", "a//b", "/p/1", "app.Page:/a/b/"])
def test_a_sites_deletions_arrive(foreign_id: str) -> None:
    client = StreamClient(EMBEDDED_API_KEY, server_settings.own_secret, transport=EmbeddedTransport())
    feed = client.feed("user", "1")
    feed.add_activity({"actor": "a", "verb": "v", "object": "o", "foreign_id": foreign_id})
    assert feed.remove_activity(foreign_id=foreign_id)["removed"] == foreign_id
    assert feed.get()["results"] == []


DOTS = ["../2/x", "..", ".", "a/../b", "./a/."]


@pytest.mark.parametrize("foreign_id", DOTS)
def test_dots_lead_nowhere(foreign_id: str) -> None:
    check_removal(foreign_id, transport=EmbeddedTransport())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("foreign_id", DOTS)
def test_dots_lead_nowhere_over_a_socket(foreign_id: str, live_server: Any) -> None:
    check_removal(foreign_id, base_url=live_server.url)


def check_removal(foreign_id: str, **where: Any) -> None:
    client = StreamClient(EMBEDDED_API_KEY, server_settings.own_secret, **where)
    mine, other = client.feed("user", "1"), client.feed("user", "2")
    for feed, name in ((mine, foreign_id), (other, "x")):
        feed.add_activity({"actor": "a", "verb": "v", "object": "o", "foreign_id": name})
    assert mine.remove_activity(foreign_id=foreign_id)["removed"] == foreign_id
    assert (mine.get()["results"], len(other.get()["results"])) == ([], 1)


odd_ids = st.lists(pieces | st.text(max_size=3), min_size=1, max_size=5).map("".join).filter(bool)


@given(odd=odd_ids)
@example(odd="get_many")
@example(odd="..")
@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
def test_what_a_path_cannot_name_is_refused_at_creation(odd: str) -> None:
    about = api.post("user:1", object="x")["id"]
    reaction = {"kind": "like", "user_id": "u", "activity_id": about}
    for create, path, fields in (
        ("reaction/", f"reaction/{odd}/", reaction),
        ("user/", f"user/{odd}/", {}),
        ("collections/food/", f"collections/food/{odd}/", {}),
    ):
        status = api.call("POST", create, {**fields, "id": odd, "data": {"a": 1}}).status
        if status != 201:
            assert status in (400, 409)
            continue
        assert api.ok("GET", path)["id"] == odd
        assert api.ok("PUT", path, {"data": {"a": 2}})["data"] == {"a": 2}
        api.ok("DELETE", path)
        assert api.call("GET", path).status == 404

"""stream-python, unmodified, with reactions, users, collections and enriched feeds."""

from __future__ import annotations

from typing import Any

import pytest
import stream
from stream.exceptions import DoesNotExistException, InputException, StreamApiException

from django_stream.server.conf import server_settings
from tests.extras import needs

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # The library looks at the loop that is there, which newer versions of Python warn about.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture
def client(live_server) -> Any:
    return stream.connect("embedded", server_settings.own_secret, "1", base_url=live_server.url)


def post(client: Any, **fields: Any) -> dict[str, Any]:
    return client.feed("user", "1").add_activity({"actor": "a", "verb": "v", "object": "o", **fields})


def test_it_reacts_reads_changes_and_restores(client):
    activity = post(client)["id"]
    like = client.reactions.add("like", activity, "mike", data={"n": 1})
    assert (like["kind"], like["user"]["id"], like["data"]) == ("like", "mike", {"n": 1})
    child = client.reactions.add_child("like", like["id"], "rob")
    assert client.reactions.get(like["id"])["latest_children"]["like"][0]["id"] == child["id"]
    assert client.reactions.update(like["id"], data={"n": 2})["data"] == {"n": 2}
    client.reactions.delete(like["id"], soft=True)
    client.reactions.restore(like["id"])
    found = client.reactions.filter(activity_id=activity, kind="like", limit=1)["results"]
    assert [reaction["id"] for reaction in found] == [like["id"]]
    client.reactions.delete(like["id"])
    with pytest.raises(DoesNotExistException):
        client.reactions.get(like["id"])


def test_it_pages_through_reactions(client):
    activity = post(client)["id"]
    ids = [client.reactions.add("like", activity, "mike")["id"] for _ in range(3)]
    page = client.reactions.filter(reaction_id=None, activity_id=activity, limit=2)["results"]
    assert [reaction["id"] for reaction in page] == ids[:0:-1]
    rest = client.reactions.filter(activity_id=activity, limit=2, id_lt=ids[1])["results"]
    assert [reaction["id"] for reaction in rest] == ids[:1]


def test_it_tells_of_reactions_on_other_feeds(client):
    activity = post(client)["id"]
    like = client.reactions.add(
        "like", activity, "mike", target_feeds=["user:mike"], target_feeds_extra_data={"x": 1}
    )
    (told,) = client.feed("user", "mike").get()["results"]
    assert (told["reaction"], told["x"]) == (f"SR:{like['id']}", 1)


def test_it_keeps_users(client):
    made = client.users.add("eric", {"name": "Eric"})
    assert client.users.get("eric")["data"] == made["data"] == {"name": "Eric"}
    with pytest.raises(StreamApiException):
        client.users.add("eric", {"name": "Other"})
    assert client.users.add("eric", {"name": "Other"}, get_or_create=True)["data"] == {"name": "Eric"}
    assert client.users.update("eric", {"name": "E"})["data"] == {"name": "E"}
    client.users.delete("eric")
    with pytest.raises(DoesNotExistException):
        client.users.get("eric")


def test_it_keeps_collections(client):
    entry = client.collections.add("food", {"name": "Burger"}, id="burger")
    assert client.collections.get("food", "burger")["data"] == entry["data"]
    with pytest.raises(InputException):
        client.collections.add("food", {}, id="burger")
    assert client.collections.update("food", "burger", {"name": "B"})["data"] == {"name": "B"}
    client.collections.upsert("food", [{"id": "1", "n": 1}, {"id": "2", "n": 2}])
    selected = client.collections.select("food", ["2", "1"])["response"]["data"]
    assert [item["data"]["n"] for item in selected] == [2, 1]
    client.collections.delete_many("food", ["1", "2"])
    assert client.collections.select("food", ["1", "2"])["response"]["data"] == []
    client.collections.delete("food", "burger")


def test_it_reads_enriched_feeds(client):
    eric = client.users.add("eric", {"name": "Eric"})
    entry = client.collections.add("food", {"name": "Burger"}, id="burger")
    activity = post(
        client,
        actor=client.users.create_reference("eric"),
        object=client.collections.create_reference(entry=entry),
    )["id"]
    like = client.reactions.add("like", activity, "eric")
    (told,) = client.feed("user", "1").get(
        enrich=True, reactions={"own": True, "recent": True, "counts": True}, user_id="eric"
    )["results"]
    assert (told["actor"]["data"], told["object"]["data"]) == (eric["data"], {"name": "Burger"})
    assert told["reaction_counts"] == {"like": 1}
    for name in ("own_reactions", "latest_reactions"):
        assert [reaction["id"] for reaction in told[name]["like"]] == [like["id"]]
    (again,) = client.get_activities(ids=[activity], reactions={"counts": True})["results"]
    assert again["reaction_counts"] == {"like": 1}


@needs("opengraph")
def test_it_refuses_pages_without_data(client):
    with pytest.raises(InputException):
        client.og("http://127.0.0.1/")

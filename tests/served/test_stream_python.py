"""stream-python, unmodified, over real HTTP servers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import stream

from django_stream.protocol.credentials import EMBEDDED_API_KEY, embedded_secret
from tests.served.conftest import Served

# The library looks at the loop that is there, which newer versions of Python warn about.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def client(served: Served) -> Any:
    # It puts `api.` before every other host.
    url = served.url.replace("127.0.0.1", "localhost")
    return stream.connect(EMBEDDED_API_KEY, embedded_secret("tests"), "1", base_url=url)


def activity(**fields: Any) -> dict[str, Any]:
    return {"actor": 1, "verb": "tweet", "object": 1, **fields}


def test_feeds_follows_and_batches(client: Any):
    feed, timeline = client.feed("user", "python"), client.feed("timeline", "python")
    timeline.follow("user", "python")
    made = feed.add_activities([activity(object=number) for number in range(3)])["activities"]
    page = timeline.get(limit=2)
    assert [item["id"] for item in page["results"]] == [made[2]["id"], made[1]["id"]]
    assert f"api_key={EMBEDDED_API_KEY}" in page["next"]
    client.add_to_many(activity(object="many"), ["user:python", "flat:python"])
    client.follow_many([{"source": "flat:python", "target": "user:python"}], activity_copy_limit=1)
    client.unfollow_many([{"source": "flat:python", "target": "user:python"}])
    assert [item["object"] for item in client.feed("flat", "python").get()["results"]] == ["many"]
    timeline.unfollow("user", "python", keep_history=True)
    assert len(timeline.get()["results"]) == 3


def test_what_has_an_address_for_a_foreign_id_is_removed(client: Any):
    feed = client.feed("user", "addresses")
    feed.add_activity(activity(foreign_id="https://blog.example.org/p/1"))
    answer = feed.remove_activity(foreign_id="https://blog.example.org/p/1")
    assert answer["removed"] == "https://blog.example.org/p/1"
    assert feed.get()["results"] == []


def test_reactions_users_and_collections(client: Any):
    made = client.feed("user", "python-objects").add_activity(activity())
    comment = client.reactions.add("comment", made["id"], "bob", data={"text": "hello"})
    client.reactions.add_child("like", comment["id"], "ann")
    assert client.reactions.update(comment["id"], {"text": "edited"})["data"] == {"text": "edited"}
    found = client.reactions.filter(activity_id=made["id"], limit=1)["results"]
    assert [one["id"] for one in found] == [comment["id"]]
    client.users.add("python-user", {"name": "Bob"}, get_or_create=True)
    assert client.users.update("python-user", {"name": "B"})["data"] == {"name": "B"}
    client.collections.upsert("python", [{"id": "a", "name": "A"}])
    selected = client.collections.select("python", ["a"])["response"]["data"]
    assert [entry["data"]["name"] for entry in selected] == ["A"]
    client.collections.delete("python", "a")


def test_the_asynchronous_client(served: Served):
    url = served.url.replace("127.0.0.1", "localhost")

    async def scenario() -> list[str]:
        client = stream.connect(EMBEDDED_API_KEY, embedded_secret("tests"), "1", base_url=url, use_async=True)
        feed = client.feed("user", "python-async")
        await feed.add_activity(activity(object="async", foreign_id="a"))
        found = [item["object"] for item in (await feed.get())["results"]]
        await feed.remove_activity(foreign_id="a")
        return [*found, *(await feed.get())["results"]]

    assert asyncio.run(scenario()) == ["async"]

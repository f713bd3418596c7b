"""What somebody reacted with is exported and erased."""

import pytest

from django_stream.client import StreamClient
from django_stream.protocol import limits
from django_stream.server.conf import server_settings

ANYTHING = "ed2837a6-0a3b-4679-adc1-778a1704852d"


def test_the_ids_of_reactions_are_exported_and_the_reactions_deleted(api):
    ids = [api.react(ANYTHING)["id"] for _ in range(3)]
    other = api.react(ANYTHING, user="eve")["id"]
    api.ok("DELETE", f"reaction/{ids[1]}/", soft="true")
    export = api.ok("GET", "data_privacy/export_ids/bob/")["export"]
    assert (export["reaction_count"], export["reaction_ids"]) == (3, ids)
    api.made("data_privacy/delete_reactions/", {"ids": [ids[0]], "soft": True})
    assert "deleted_at" in api.ok("GET", f"reaction/{ids[0]}/")
    api.made("data_privacy/delete_reactions/", {"ids": [*ids, "unknown"]})
    export = api.ok("GET", "data_privacy/export_ids/bob/")["export"]
    assert (export["reaction_count"], export["reaction_ids"]) == (0, [])
    found = api.ok("GET", f"reaction/activity_id/{ANYTHING}/")["results"]
    assert [reaction["id"] for reaction in found] == [other]


@pytest.mark.parametrize("most", [1, 2, 3, 5, 6, 100])
def test_an_export_goes_on_until_all_is_told(api, most, monkeypatch):
    monkeypatch.setattr(limits, "EXPORT_PAGE", most)
    made = [
        api.post("user:1", actor=actor, foreign_id=f"a:{n}")["id"]
        for n, actor in enumerate(["bob", "SU:bob", "eve", "bob", "SU:bob"])
    ]
    made.pop(2)
    reactions = [api.react(ANYTHING)["id"] for _ in range(2)]

    pages, place = [], ""
    while place or not pages:
        answer = api.ok("GET", "data_privacy/export_ids/bob/", **({"next": place} if place else {}))
        pages.append(answer["export"])
        place = answer["next"]

    assert all(page["activity_count"] + page["reaction_count"] <= most for page in pages)
    assert [one for page in pages for one in page["activity_ids"]] == made[::-1]
    assert [one for page in pages for one in page["reaction_ids"]] == reactions
    whole = StreamClient(api.api_key, api.secret or server_settings.own_secret, transport=api.transport)
    assert whole.data_privacy.export_ids("bob")["export"] == {
        "user_id": "bob",
        "activity_count": 4,
        "reaction_count": 2,
        "activity_ids": made[::-1],
        "reaction_ids": reactions,
    }


@pytest.mark.parametrize(
    "place",
    [
        "x",
        "activity:x",
        "reaction",
        "reaction:",
        "reaction:-1",
        "reaction:x",
        "reaction:" + "9" * 30,
    ],
)
def test_an_export_goes_on_from_its_own_places_only(api, place):
    assert api.refused("GET", "data_privacy/export_ids/bob/", next=place) == (400, 4)


@pytest.mark.parametrize("body", [{}, {"ids": "a"}, {"ids": [1]}, {"ids": ["a"], "soft": "x"}], ids=str)
def test_malformed_deletions_change_nothing(api, body):
    kept = api.react(ANYTHING, id="a")
    assert api.refused("POST", "data_privacy/delete_reactions/", body) == (400, 4)
    assert api.ok("GET", "reaction/a/") == kept


def test_an_activity_that_is_named_twice_leaves_the_feeds_of_both(api):
    sent = api.post("user:1", to=["flat:1", "flat:2"])["id"]
    items = [{"id": sent, "remove_from_feeds": [feed]} for feed in ("flat:1", "flat:2")]
    api.ok("POST", "data_privacy/delete_activities/", {"activities": items})
    assert [api.ids(feed) for feed in ("flat:1", "flat:2", "user:1")] == [[], [], [sent]]

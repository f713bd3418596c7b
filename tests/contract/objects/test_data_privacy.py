"""What somebody reacted with is exported and erased."""

import pytest

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


@pytest.mark.parametrize("body", [{}, {"ids": "a"}, {"ids": [1]}, {"ids": ["a"], "soft": "x"}], ids=str)
def test_malformed_deletions_change_nothing(api, body):
    kept = api.react(ANYTHING, id="a")
    assert api.refused("POST", "data_privacy/delete_reactions/", body) == (400, 4)
    assert api.ok("GET", "reaction/a/") == kept

"""An enriched page costs a fixed number of queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.contract.calling import ok
from tests.db.server.plans import plans_of

pytestmark = pytest.mark.django_db

FLAGS = {
    "withRecentReactions": "true",
    "withOwnReactions": "true",
    "withReactionCounts": "true",
    "withOwnChildren": "true",
    "user_id": "u1",
}


@pytest.fixture
def busy_feed():
    """A hundred activities that refer to all kinds of objects, with reactions on three levels."""
    users = [{"id": f"u{number}", "data": {"n": number}} for number in range(20)]
    ok("POST", "users/", {"users": users})
    ok("POST", "collections/", {"data": {"food": [{"id": str(number)} for number in range(100)]}})
    subjects = ok("POST", "feed/user/0/", {"activities": [_activity(number) for number in range(100)]})
    subjects = subjects["activities"]
    about = [_activity(number, target=f"SA:{subject['id']}") for number, subject in enumerate(subjects)]
    made = ok("POST", "feed/user/1/", {"activities": about})["activities"]
    for number, activity in enumerate(made):
        user = f"u{number % 20}"
        comment = _react("comment", user, activity_id=activity["id"])
        answer = _react("comment", "u1", parent=comment)
        _react("like", "stranger", parent=answer)
        _react("like", "u1", activity_id=activity["id"])


def _activity(number: int, **fields: str) -> dict[str, str]:
    return {"actor": f"SU:u{number % 20}", "verb": "eat", "object": f"SO:food:{number}", **fields}


def _react(kind: str, user: str, **on: str) -> str:
    return ok("POST", "reaction/", {"kind": kind, "user_id": user, **on})["id"]


def queries(limit: int) -> int:
    with CaptureQueriesContext(connection) as captured:
        page = ok("GET", "enrich/feed/user/1/", limit=str(limit), **FLAGS)
    assert len(page["results"]) == limit
    told = page["results"][0]
    assert told["target"]["object"]["collection"] == "food"
    assert told["own_reactions"]["like"][0]["user"]["data"] == {"n": 1}
    children = told["latest_reactions"]["comment"][0]["latest_children"]["comment"][0]
    assert children["own_children"] == {}
    assert children["children_counts"] == {"like": 1}
    return len(captured)


@pytest.mark.usefixtures("busy_feed")
def test_five_activities_cost_as_many_queries_as_a_hundred():
    # Page and activities 1, nested activities 1, entries 1, counts with recent and own reactions 1, two
    # levels of children with their counts 6, users 1, strangers 1.
    assert queries(5) == queries(25) == queries(100) == 12


def test_where_nobody_answered_nothing_is_asked_about_answers():
    _react("like", "stranger", activity_id=ok("POST", "feed/user/2/", _activity(0))["id"])
    with CaptureQueriesContext(connection) as captured:
        (told,) = ok("GET", "enrich/feed/user/2/", **FLAGS)["results"]
    assert told["latest_reactions"]["like"][0]["children_counts"] == {}
    # Page, entries, counts with recent and own reactions, users, strangers.
    assert len(captured) == 5


@pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite's plans are the same for few rows")
@pytest.mark.usefixtures("busy_feed")
def test_no_table_is_read_from_end_to_end():
    plans = plans_of(lambda: ok("GET", "enrich/feed/user/1/", **FLAGS))
    steps = [step for plan in plans.values() for step in plan]
    assert any("dss_reaction_list_children" in step for step in steps)
    read_whole = [step for step in steps if step.startswith("SCAN")]
    assert [step for step in read_whole if not step.startswith(("SCAN json_each", "SCAN p"))] == []

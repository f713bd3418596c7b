"""Children are found by their index, however many reactions there are."""

import re

import pytest

from tests.contract.calling import Api
from tests.db.server.plans import plans_of

pytestmark = pytest.mark.django_db

BY_PARENT = re.compile(r'FROM "?django_stream_server_reaction"? .*parent_id"? (=|IN) ', re.DOTALL)
INDEX = re.compile("dss_reaction_(own_)?children")
WHOLE = re.compile(r"\bSCAN (?!json_each)|Seq Scan")


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("DELETE", "reaction/{parent}/", {}),
        ("DELETE", "reaction/{parent}/", {"soft": "true"}),
        ("GET", "reaction/reaction_id/{parent}/", {}),
        ("GET", "reaction/reaction_id/{parent}/comment/", {}),
        ("GET", "enrich/feed/user/1/", {"withRecentReactions": "true", "withOwnChildren": "true"}),
    ],
)
def test_children_are_found_by_their_index(method, path, query):
    api = Api()
    parent = api.react(api.post("user:1")["id"], "comment")["id"]
    answer = api.answer_to(parent, "comment")["id"]
    api.answer_to(answer, "comment")
    plans = plans_of(lambda: api.ok(method, path.format(parent=parent), **query))
    by_parent = ["\n".join(steps) for sql, steps in plans.items() if BY_PARENT.search(sql)]
    assert by_parent
    assert [plan for plan in by_parent if WHOLE.search(plan) or not INDEX.search(plan)] == []

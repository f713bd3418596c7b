"""Children are found by their index, however many reactions there are."""

import re
import uuid

import pytest
from django.utils import timezone

from django_stream.server.conf import server_settings
from django_stream.server.feed_store import ensure_application
from django_stream.server.models import Reaction
from tests.contract.calling import Api
from tests.db.server.plans import plans_of

pytestmark = pytest.mark.django_db

BY_PARENT = re.compile(r'FROM "?django_stream_server_reaction"? .*parent_id"? (=|IN) ', re.DOTALL)
INDEX = re.compile("dss_reaction_(own_|list_)?child")
WHOLE = re.compile(r"\bSCAN (?!json_each|subquery)|Seq Scan")


def many_others() -> None:
    """In a table of a page or two, PostgreSQL finds every index as good as the other."""
    common = {"application_id": server_settings.own_app_id, "activity": uuid.uuid4(), "kind": "like"}
    times = dict.fromkeys(("created_at", "updated_at"), timezone.now())
    names = (f"other{number}" for number in range(2_000))
    ensure_application(server_settings.own_app_id)
    Reaction.objects.bulk_create(
        Reaction(**common, **times, reaction_id=name, user_id=name, data={}) for name in names
    )


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
    many_others()
    parent = api.react(api.post("user:1")["id"], "comment")["id"]
    answer = api.answer_to(parent, "comment")["id"]
    api.answer_to(answer, "comment")
    plans = plans_of(lambda: api.ok(method, path.format(parent=parent), **query))
    by_parent = ["\n".join(steps) for sql, steps in plans.items() if BY_PARENT.search(sql)]
    assert by_parent
    assert [plan for plan in by_parent if WHOLE.search(plan) or not INDEX.search(plan)] == []

"""What a reaction costs, and that its counts are always those of the rows."""

import random
import re
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_stream.server.models import ChildCount, Reaction, ReactionCount
from tests.contract.calling import call, ok, refused

pytestmark = pytest.mark.django_db

ACTIVITIES = ["ed2837a6-0a3b-4679-adc1-778a1704852d", "0d2837a6-0a3b-11f1-8080-800016ff21e4"]


def react(**fields) -> str:
    made = {"kind": "like", "activity_id": ACTIVITIES[0], "user_id": "bob"} | fields
    return ok("POST", "reaction/", made)["id"]


WRITE = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "?django_stream_server_(\w+)')


def writes(queries: CaptureQueriesContext) -> list[str]:
    """The tables that rows were written to; what is created only if missing is not written again."""
    found = (WRITE.match(query["sql"]) for query in queries if "DO NOTHING" not in query["sql"])
    return [match[1] for match in found if match]


@pytest.mark.parametrize("already", [0, 1, 30])
def test_adding_one_writes_its_row_its_count_and_the_log(already):
    for _ in range(already):
        react()
    with CaptureQueriesContext(connection) as queries:
        react()
    assert writes(queries) == ["reaction", "auditlog", "reactioncount"]


def test_without_the_log_two_rows_are_written(settings):
    settings.STREAM_SERVER_AUDIT_LOG = False
    parent = react()
    with CaptureQueriesContext(connection) as queries:
        react(parent=parent)
    assert writes(queries) == ["reaction", "childcount"]


def counted() -> tuple[Counter, Counter]:
    """What a count over the rows gives."""
    shown = Reaction.objects.filter(deleted_at__isnull=True)
    return (
        Counter(shown.filter(parent__isnull=True).values_list("activity", "kind")),
        Counter(shown.filter(parent__isnull=False).values_list("parent", "kind")),
    )


def kept() -> tuple[Counter, Counter]:
    """What the counters say."""
    activities = ReactionCount.objects.values_list("activity", "kind", "count")
    parents = ChildCount.objects.values_list("parent", "kind", "count")
    return (
        Counter({key[:2]: key[2] for key in activities if key[2]}),
        Counter({key[:2]: key[2] for key in parents if key[2]}),
    )


@pytest.mark.parametrize("seed", range(8))
def test_counts_agree_with_the_rows_whatever_happens(seed):
    chance = random.Random(seed)
    ids: list[str] = []
    for _ in range(60):
        act = chance.choice(["add", "add", "answer", "answer", "soft", "hard", "restore"])
        known = chance.choice(ids) if ids else None
        if act == "add" or known is None:
            ids.append(react(activity_id=chance.choice(ACTIVITIES), kind=chance.choice(["like", "clap"])))
        elif act == "answer":
            ids += _answered(known, chance.choice(["like", "clap"]))
        elif act == "restore":
            _tried("PUT", f"reaction/{known}/restore/")
        else:
            _tried("DELETE", f"reaction/{known}/", soft=str(act == "soft"))
        assert kept() == counted()


def _answered(parent: str, kind: str) -> list[str]:
    made = _tried("POST", "reaction/", {"kind": kind, "parent": parent, "user_id": "eve"})
    return [made["id"]] if "id" in made else []


def _tried(method: str, path: str, body=None, **query):
    """A call that may be refused, but never fail."""
    answer = call(method, path, body, **query)
    assert answer.status in (200, 201, 400, 404), answer.body
    return answer.body


@pytest.mark.parametrize("name", ["a", "..", "a b", "?", "%2F", "\u202e", "\n", "a/b", "/", "a/", "//a"])
def test_what_an_id_may_hold_can_be_read_by_it(name):
    fields = {"id": name, "kind": "like", "activity_id": ACTIVITIES[0], "user_id": "bob"}
    if "/" in name or name == "..":
        assert refused("POST", "reaction/", fields) == (400, 4)
        return
    ok("POST", "reaction/", fields)
    assert ok("GET", f"reaction/{name}/")["id"] == name
    ok("DELETE", f"reaction/{name}/")


def test_what_a_restore_costs_does_not_grow_with_what_it_brings_back():
    def family(size: int) -> list[int]:
        root = react()
        for number in range(size):
            feeds = [f"notification:{number}", f"notification:{number % 2}"]
            react(parent=root, user_id=f"u{number}", target_feeds=feeds)
        counts = []
        for method, path in (("DELETE", f"reaction/{root}/?soft=true"), ("PUT", f"reaction/{root}/restore/")):
            path, _, query = path.partition("?")
            with CaptureQueriesContext(connection) as queries:
                ok(method, path, **({"soft": "true"} if query else {}))
            counts.append(len(queries))
        return counts

    few, many = family(4), family(24)
    # An index of savepoints, batches and groups stays; one query for each reaction would be twenty more.
    assert [right - left < 20 for left, right in zip(few, many, strict=True)] == [True, True], (few, many)
    page = ok("GET", "feed/notification/23/")["results"]
    assert [one["actor"] for group in page for one in group["activities"]] == ["SU:u23"]

"""Many react at once on PostgreSQL, and nothing is counted twice or lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from django_stream.server.models import ChildCount, Reaction, ReactionCount
from tests.contract.calling import call, ok

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

ACTIVITY = "ed2837a6-0a3b-4679-adc1-778a1704852d"


@pytest.fixture(autouse=True)
def _on_postgresql() -> None:
    assert connection.vendor == "postgresql", (
        "these tests are about row locks: point DATABASE_URL at PostgreSQL"
    )


def at_once(work: Callable[[Any], Any], items: Iterable[Any]) -> list[Any]:
    """Do the work for all items, each in a thread of its own."""

    def alone(item: Any) -> Any:
        try:
            return work(item)
        finally:
            connection.close()

    listed = list(items)
    with ThreadPoolExecutor(len(listed)) as pool:
        return list(pool.map(alone, listed))


def like(user: object, **fields: object) -> str:
    body = {"kind": "like", "activity_id": ACTIVITY, "user_id": str(user), **fields}
    return str(ok("POST", "reaction/", body)["id"])


def test_fifty_likes_of_one_activity_are_fifty():
    at_once(like, range(50))
    assert ReactionCount.objects.get().count == Reaction.objects.count() == 50


def test_children_added_and_deleted_at_once_are_counted_exactly():
    parent = like("eric")
    children = at_once(lambda user: like(user, parent=parent), range(40))
    assert ChildCount.objects.get().count == 40
    gone, more = children[:30], range(20)
    at_once(
        lambda work: work(),
        [lambda child=child: ok("DELETE", f"reaction/{child}/") for child in gone]
        + [lambda user=user: like(user, parent=parent) for user in more],
    )
    assert ChildCount.objects.get().count == Reaction.objects.filter(parent__isnull=False).count() == 30


def test_a_reaction_deleted_by_many_is_counted_out_once():
    kept, gone = like("a"), like("b")
    answers = at_once(lambda soft: call("DELETE", f"reaction/{gone}/", soft=soft).status, ["true"] * 10)
    assert set(answers) == {200}
    answers = at_once(lambda _: call("DELETE", f"reaction/{gone}/").status, range(10))
    assert sorted(answers) == [200] + [404] * 9
    assert ReactionCount.objects.get().count == 1
    assert Reaction.objects.get().reaction_id == kept


@pytest.mark.parametrize("turn", range(5))
def test_a_parent_deleted_while_children_come_leaves_none_behind(turn):
    parent = like("eric")

    def act(number: int) -> int:
        if number == turn * 2:
            return call("DELETE", f"reaction/{parent}/").status
        return call("POST", "reaction/", {"kind": "like", "parent": parent, "user_id": "bob"}).status

    assert set(at_once(act, range(10))) <= {200, 201, 400}
    assert not Reaction.objects.exists()
    assert not ChildCount.objects.exists()
    assert ReactionCount.objects.get().count == 0


def test_an_id_is_given_once():
    def chosen(user: int) -> int:
        body = {"kind": "like", "activity_id": ACTIVITY, "user_id": str(user), "id": "chosen"}
        return call("POST", "reaction/", body).status

    assert sorted(at_once(chosen, range(10))) == [201] + [409] * 9
    assert ReactionCount.objects.get().count == 1


def test_targets_moved_at_once_never_lock_each_other_out():
    feeds = [f"user:{number}" for number in range(6)]
    reactions = [like(number, target_feeds=feeds) for number in range(6)]

    def move(number: int) -> int:
        reaction = reactions[number % 6]
        turned = feeds[number % 5 :] + feeds[: number % 5]
        targets = turned[:3] if number % 2 else turned[::-1]
        return call("PUT", f"reaction/{reaction}/", {"data": {}, "target_feeds": targets}).status

    assert set(at_once(move, range(24))) == {201}
    for feed in feeds:
        told = ok("GET", f"feed/{feed.replace(':', '/')}/")["results"]
        expected = {row.reaction_id for row in Reaction.objects.all() if feed in row.target_feeds}
        assert {item["foreign_id"].removeprefix("reaction:") for item in told} == expected


def test_users_and_entries_are_created_once():
    users = at_once(lambda _: call("POST", "user/", {"id": "eric"}).status, range(10))
    assert sorted(users) == [201] + [409] * 9
    entries = at_once(
        lambda _: call("POST", "collections/food/", {"id": "a", "data": {"n": 1}}).status, range(10)
    )
    assert sorted(entries) == [201] + [409] * 9

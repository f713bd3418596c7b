"""Numbers of groups too large to be counted anew: of activities always right, of actors about right."""

from __future__ import annotations

import random
from itertools import count
from typing import Any

import pytest

from django_stream.server import maintenance
from django_stream.server.models import Feed
from django_stream.server.timelines import group_statements
from tests.contract.calling import Api

pytestmark = pytest.mark.django_db
api = Api()
FEED = "feed/notification/ann/"
LARGE = 4
_seconds = count()


@pytest.fixture(autouse=True)
def small_groups_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_statements, "READ_WHOLE", LARGE)


def post(actor: str, hour: int = 12, day: int = 1) -> str:
    second = next(_seconds) % 60  # what one actor does at one moment is one activity
    moment = f"2026-01-{day:02}T{hour:02}:00:{second:02}"
    fields = {"actor": actor, "verb": "v", "object": "o", "time": moment}
    return str(api.ok("POST", FEED, fields)["id"])


def counts() -> tuple[int, int] | None:
    """Of the only group: its activities and actors."""
    groups: list[dict[str, Any]] = api.ok("GET", FEED)["results"]
    return (groups[0]["activity_count"], groups[0]["actor_count"]) if groups else None


def test_what_only_grows_is_counted_exactly() -> None:
    actors: list[str] = []
    for number, actor in enumerate("abcadbeefagbb"):
        actors.append(actor)
        post(actor)
        post(actor, day=2)  # in another group: it says nothing of the first one
        api.ok("GET", FEED)
        found = {group["group"]: group for group in api.ok("GET", FEED)["results"]}
        assert {(one["activity_count"], one["actor_count"]) for one in found.values()} == {
            (number + 1, len(set(actors)))
        }


def test_many_that_come_at_once_are_counted_exactly() -> None:
    for actor in "abcdefa":
        post(actor)
    assert counts() == (7, 6)
    for actor in "xgayxb":
        post(actor)
    assert counts() == (13, 9)


@pytest.mark.parametrize("seed", range(6))
def test_what_shrinks_is_exact_again_once_it_is_small(seed: int) -> None:
    chance, there = random.Random(seed), {}
    for _ in range(40):
        if len(there) > LARGE and chance.random() < 0.4:
            gone = chance.choice(sorted(there))
            del there[gone]
            path = f"feed/notification/ann/{gone}/"
            api.ok("DELETE", path)
        else:
            actor = chance.choice("abcdefgh")
            there[post(actor, hour=chance.randrange(24))] = actor
        found = counts()
        assert found is not None
        assert found[0] == len(there)
        assert len({*there.values()}) <= found[1] <= len(there)
    maintenance.rebuild(Feed.objects.get(slug="notification"))
    assert counts() == (len(there), len({*there.values()}))
    for gone in sorted(there):
        api.ok("DELETE", f"feed/notification/ann/{gone}/")
        del there[gone]
        found = counts()
        if 0 < len(there) < LARGE:
            assert found == (len(there), len({*there.values()}))
    assert counts() is None


def test_an_actor_who_does_very_much_elsewhere_is_looked_for_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_statements, "_LATELY", 2)
    for actor in "abcdef":
        post(actor)
    assert counts() == (6, 6)
    for _ in range(3):
        api.ok("POST", "feed/user/a/", {"actor": "a", "verb": "v", "object": "o"})
    post("a")
    assert counts() == (7, 7)


def test_those_who_come_together_share_what_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_statements, "_LOOKED_UP", 4)
    for actor in "abcdef":
        post(actor)
    assert counts() == (6, 6)
    for _ in range(2):
        api.ok("POST", "feed/user/a/", {"actor": "a", "verb": "v", "object": "o"})
    post("a")
    post("b")
    assert counts() == (8, 7)


def test_many_groups_that_change_at_once_are_not_all_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_statements, "READ_IN_ALL", 2 * LARGE - 2)
    sent = [[post(actor, day=day) for actor in "aaab"] for day in (1, 2)]

    def found() -> list[tuple[int, int]]:
        groups = api.ok("GET", FEED)["results"]
        return [(group["activity_count"], group["actor_count"]) for group in groups]

    assert found() == [(4, 2), (4, 2)]
    for some in sent:
        api.ok("DELETE", f"{FEED}{some[3]}/")
    assert found() == [(3, 2), (3, 2)]
    # One alone is counted.
    api.ok("DELETE", f"{FEED}{sent[1][0]}/")
    assert found() == [(2, 1), (3, 2)]

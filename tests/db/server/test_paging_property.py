"""Whoever follows `next` while others add, remove and react meets what was there once, and no failure.

What was in the list when reading began, and is still there at the end, is met exactly once, in the order that
it had. What came later may be met, once.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.calling import Api
from tests.extras import needs

pytestmark = [pytest.mark.django_db, needs("aggregation")]

AGO = [0, 2, 5, 10, 3600, 7200, 86400]
numbers = itertools.count()


@dataclass
class List:
    """A list that somebody pages through, and what others can do to it."""

    api: Api
    number: int
    reactions: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    """What was not there any more at some time."""
    clock: int = 0

    def __post_init__(self) -> None:
        """Whatever the list stands on."""

    def path(self) -> str:
        raise NotImplementedError

    def query(self) -> dict[str, Any]:
        return {}

    def names(self, results: list[dict[str, Any]]) -> list[str]:
        return [item["id"] for item in results]

    def add(self, where: int) -> None:
        """Something newer than all, or in between."""
        raise NotImplementedError

    def remove(self, name: str) -> None:
        raise NotImplementedError

    def react(self, name: str) -> None:
        raise NotImplementedError

    def take_back(self, where: int) -> None:
        """A reaction goes, softly or for good, or one that went softly comes back."""
        if not self.reactions:
            return
        self.clock += 1
        reaction = self.reactions[where % len(self.reactions)]
        if reaction in self.hidden:
            self.hidden.remove(reaction)
            self.api.ok("PUT", f"reaction/{reaction}/restore/")
            return
        soft = where % 2 == 0
        self.api.ok("DELETE", f"reaction/{reaction}/", soft=soft)
        self.hidden.add(reaction) if soft else self.reactions.remove(reaction)

    def time(self, where: int) -> str:
        """Now; a moment ago, as what comes late by a queue; or hours ago."""
        self.clock += 1
        moment = datetime.now(UTC) - timedelta(seconds=AGO[where], microseconds=self.clock)
        return moment.isoformat()

    def first(self, limit: int) -> dict[str, Any]:
        return self.api.ok("GET", self.path(), limit=limit, **self.query())

    def there(self) -> set[str]:
        page = self.first(25)
        found = self.names(page["results"])
        while page["next"]:
            page = self.api.follow_next(page)
            found += self.names(page["results"])
        assert len(found) == len(set(found))
        return set(found)


class Flat(List):
    def feed(self) -> str:
        return f"user:{self.number}"

    def path(self) -> str:
        return f"feed/{self.feed().replace(':', '/')}/"

    def fields(self) -> dict[str, Any]:
        return {"actor": f"a{self.clock}", "verb": "post", "object": str(self.clock)}

    def add(self, where: int) -> None:
        self.api.post(f"user:{self.number}", time=self.time(where), **self.fields())

    def remove(self, name: str) -> None:
        self.api.ok("DELETE", f"feed/user/{self.number}/{name}/")

    def react(self, name: str) -> None:
        self.reactions.append(self.api.react(name)["id"])


class Timeline(Flat):
    def feed(self) -> str:
        return f"timeline:{self.number}"

    def __post_init__(self) -> None:
        self.api.follow(self.feed(), f"user:{self.number}")


class Enriched(Flat):
    def path(self) -> str:
        return f"enrich/{super().path()}"

    def query(self) -> dict[str, Any]:
        return {"withReactionCounts": "true", "withRecentReactions": "true"}


class Groups(Timeline):
    """Groups by verb: five that everything new and everything backdated comes to."""

    def feed(self) -> str:
        return f"aggregated:{self.number}"

    def fields(self) -> dict[str, Any]:
        return super().fields() | {"verb": f"v{self.clock % 5}"}

    def names(self, results: list[dict[str, Any]]) -> list[str]:
        return [group["group"] for group in results]

    def remove(self, name: str) -> None:
        """Its newest activity, and the group with it if it has no other."""
        groups = {group["group"]: group for group in self.first(100)["results"]}
        super().remove(groups[name]["activities"][0]["id"])

    def react(self, name: str) -> None:
        groups = {group["group"]: group for group in self.first(100)["results"]}
        super().react(groups[name]["activities"][0]["id"])


class Notifications(Groups):
    def feed(self) -> str:
        return f"notification:{self.number}"


class Ranked(Flat):
    def feed(self) -> str:
        return f"ranked:{self.number}"

    def fields(self) -> dict[str, Any]:
        return super().fields() | {"popularity": self.clock * 7 % 4}

    def query(self) -> dict[str, Any]:
        return {"ranking": "popular"}

    def add(self, where: int) -> None:
        self.api.post(self.feed(), time=self.time(where), **self.fields())

    def remove(self, name: str) -> None:
        self.api.ok("DELETE", f"feed/ranked/{self.number}/{name}/")


class Reactions(List):
    """Newest first."""

    def __post_init__(self) -> None:
        self.about = self.api.post("flat:1", object=str(self.number))["id"]

    def path(self) -> str:
        return f"reaction/activity_id/{self.about}/"

    def add(self, where: int) -> None:
        self.api.react(self.about, ("like", "comment")[where % 2], f"u{self.number}")

    def remove(self, name: str) -> None:
        self.clock += 1
        self.api.ok("DELETE", f"reaction/{name}/", soft=self.clock % 2 == 0)

    def react(self, name: str) -> None:
        self.api.answer_to(name)


class OldestFirst(Reactions):
    def query(self) -> dict[str, Any]:
        # Of an id that never was, the beginning of the list is meant.
        return {"id_gt": "none"}


class OfOneUser(Reactions):
    def path(self) -> str:
        return f"reaction/user_id/u{self.number}/"


class OfOneKind(Reactions):
    def path(self) -> str:
        return f"reaction/activity_id/{self.about}/like/"

    def add(self, where: int) -> None:
        super().add(0)


class Answers(Reactions):
    def __post_init__(self) -> None:
        super().__post_init__()
        self.parent = self.api.react(self.about)["id"]

    def path(self) -> str:
        return f"reaction/reaction_id/{self.parent}/"

    def add(self, where: int) -> None:
        self.api.answer_to(self.parent)


KINDS = [
    *(Flat, Timeline, Enriched, Groups, Notifications, Ranked),
    *(Reactions, OldestFirst, OfOneUser, OfOneKind, Answers),
]


@pytest.fixture(autouse=True)
def feed_groups(settings: Any) -> None:
    form = "{{ verb }}"
    settings.STREAM_SERVER_FEED_GROUPS = {
        **settings.STREAM_SERVER_FEED_GROUPS,
        "ranked": {
            "kind": "flat",
            "ranking": {
                "popular": {
                    "score": "popularity + reaction_counts.like",
                    "defaults": {"popularity": 0, "reaction_counts": {"like": 0}},
                }
            },
        },
        "aggregated": {"kind": "aggregated", "aggregation_format": form},
        "notification": {"kind": "notification", "aggregation_format": form},
    }


step = st.tuples(st.sampled_from(["add", "remove", "last", "react", "take back"]), st.integers(0, 9))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(
    places=st.lists(st.integers(0, 6), min_size=1, max_size=9),
    limit=st.integers(1, 3),
    meanwhile=st.lists(st.lists(step, max_size=3), max_size=5),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
def test_next_never_repeats_skips_or_fails(
    kind: Callable[..., List], places: list[int], limit: int, meanwhile: list[list[tuple[str, int]]]
) -> None:
    listed = kind(Api(), next(numbers))
    for where in places:
        listed.add(where)
    before, order = listed.there(), listed.names(listed.first(25)["results"])
    page = listed.first(limit)
    met = listed.names(page["results"])
    for steps in itertools.chain(meanwhile, itertools.repeat([])):
        for what, where in steps:
            do(listed, what, where, met)
        if not page["next"]:
            break
        page = listed.api.follow_next(page)
        met += listed.names(page["results"])
    assert len(met) == len(set(met))
    steady = before & listed.there() - listed.gone
    assert [name for name in met if name in steady] == [name for name in order if name in steady]


def do(listed: List, what: str, where: int, met: list[str]) -> None:
    if what == "add":
        listed.add(where % 7)
        return
    if what == "take back":
        listed.take_back(where)
        return
    there = sorted(listed.there())
    name = (
        met[-1] if what == "last" and met and met[-1] in there else there[where % len(there)] if there else ""
    )
    if not name:
        return
    if what == "react":
        listed.react(name)
    else:
        listed.remove(name)
        listed.gone |= {name} - listed.there()


def test_what_comes_late_to_a_group_that_was_not_met_yet_moves_it_nowhere() -> None:
    listed = Groups(Api(), next(numbers))
    for seconds in (1, 2, 30, 90):
        add_at(listed, f"v{seconds}", seconds)
    page = listed.first(1)
    add_at(listed, "v90", 1.5)
    met = listed.names(page["results"])
    while page["next"]:
        page = listed.api.follow_next(page)
        met += listed.names(page["results"])
    assert met == ["v1", "v2", "v30", "v90"]


def add_at(listed: Groups, verb: str, seconds: float) -> None:
    time = (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()
    listed.api.post(f"user:{listed.number}", actor="a", verb=verb, object=f"o:{seconds}", time=time)

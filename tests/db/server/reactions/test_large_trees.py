"""Very many reactions below one follow it in steps, whoever is killed, and whatever happens meanwhile."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection
from django.db.models import F, Q
from django.test.utils import CaptureQueriesContext

from django_stream.server.actions import reaction_jobs, reaction_trees, reactions
from django_stream.server.models import AuditLog, ChildCount, Reaction, ReactionJob
from tests.contract.calling import Api, ids, user_token
from tests.db.server.reactions.test_writes import ACTIVITIES, counted, kept

pytestmark = pytest.mark.django_db
api = Api()


@pytest.fixture(autouse=True)
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reactions, "_BELOW_AT_ONCE", 3)
    monkeypatch.setattr(reaction_jobs, "_AT_ONCE", 3)
    monkeypatch.setattr(reaction_trees, "_FEW", 1)


@pytest.fixture
def root() -> str:
    """A comment with eight answers, each with three of its own, on feeds."""
    made = api.react(ACTIVITIES[0], "comment", "ann")["id"]
    for number in range(8):
        child = api.answer_to(made, "comment", f"u{number}", target_feeds=["notification:ann"])["id"]
        for _ in range(3):
            api.answer_to(child, "like", "bob", target_feeds=["user:bob"])
    return made


def shown() -> int:
    return Reaction.objects.filter(deleted_at=None).count()


def out_of_step() -> int:
    """Those that are hidden though what took them along is not, and the other way round."""
    hidden, parent_hidden = Q(deleted_at__isnull=False), Q(parent__deleted_at__isnull=False)
    wrong = (~hidden & parent_hidden) | (Q(deleted_with__isnull=False) & ~parent_hidden)
    return Reaction.objects.filter(wrong, parent__isnull=False).count()


def counts_agree() -> bool:
    """Below one that goes for good nothing needs to be counted any more."""
    going = set(Reaction.objects.filter(reaction_id__startswith="/").values_list("pk", flat=True))
    (of_activities, below), (told, told_below) = counted(), kept()
    lasting = [
        {key: count for key, count in one.items() if key[0] not in going} for one in (below, told_below)
    ]
    return of_activities == told and lasting[0] == lasting[1]


def finish() -> None:
    while reaction_jobs.resume(idle_seconds=-1):
        pass


@pytest.mark.parametrize("soft", [True, False])
def test_the_request_takes_one_step_and_the_rest_follows(root: str, soft: bool) -> None:
    api.ok("DELETE", f"reaction/{root}/", soft=soft)

    assert 20 < shown() < 33
    assert api.ok("GET", f"reaction/activity_id/{ACTIVITIES[0]}/")["results"] == []
    if not soft:
        assert api.refused("GET", f"reaction/{root}/") == (404, 16)
        assert api.refused("PUT", f"reaction/{root}/restore/") == (404, 16)

    finish()

    assert shown() == 0
    assert Reaction.objects.count() == (33 if soft else 0)
    assert ids("user:bob") == []
    assert api.ok("GET", "feed/notification/ann/")["results"] == []
    assert not ReactionJob.objects.exists()
    if soft:
        api.ok("PUT", f"reaction/{root}/restore/")
        finish()
        assert (shown(), out_of_step()) == (33, 0)
        assert kept() == counted()
        assert len(ids("user:bob")) == 24
    else:
        assert not ChildCount.objects.exists()


def test_the_id_of_a_reaction_that_is_deleted_for_good_is_free_at_once(root: str) -> None:
    api.ok("DELETE", f"reaction/{root}/")
    api.react(ACTIVITIES[1], "like", "eve", id=root)
    finish()
    assert [row.user_id for row in Reaction.objects.all()] == ["eve"]


def test_the_rest_runs_after_the_commit(root: str, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        api.ok("DELETE", f"reaction/{root}/")
        assert shown() > 20
    assert not Reaction.objects.exists()


def test_the_log_names_who_deleted_them_also_those_that_went_later(root: str) -> None:
    AuditLog.objects.all().delete()
    api.as_user("ann").ok("DELETE", f"reaction/{root}/", auth=user_token("ann"))
    finish()
    entries = AuditLog.objects.filter(entity_type="reaction", action="delete")
    assert set(entries.values_list("user_id", flat=True)) == {"ann"}
    assert entries.count() == 33


def test_a_list_goes_on_from_one_that_went_later(root: str) -> None:
    other = api.react(ACTIVITIES[0], "comment", "bob")["id"]
    page = api.ok("GET", "reaction/user_id/bob/", limit=2)
    api.ok("DELETE", f"reaction/{root}/")
    finish()
    assert api.follow_next(page)["results"] == []
    assert api.ok("GET", "reaction/user_id/bob/")["results"][0]["id"] == other


class Killed(BaseException):
    """No `except Exception` stops it."""


@pytest.mark.parametrize("statement", range(2, 40, 5))
@pytest.mark.parametrize("soft", [True, False])
def test_a_worker_that_is_killed_at_any_statement_loses_nothing(
    root: str, statement: int, soft: bool
) -> None:
    api.ok("DELETE", f"reaction/{root}/", soft=soft)
    left = statement

    def die(execute: Any, *rest: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed
        return execute(*rest)

    with connection.execute_wrapper(die), suppress(Killed):
        reaction_jobs.resume(idle_seconds=-1)
    finish()

    assert Reaction.objects.count() == (33 if soft else 0)
    assert (shown(), out_of_step()) == (0, 0)
    assert kept() == counted()


def test_what_a_request_costs_does_not_grow_with_what_is_below() -> None:
    def statements(children: int) -> list[int]:
        made, counts = api.react(ACTIVITIES[0])["id"], []
        for number in range(children):
            api.answer_to(made, "like", f"u{number}", target_feeds=["user:t"])
        calls = [("DELETE", f"reaction/{made}/", {"soft": "true"}), ("PUT", f"reaction/{made}/restore/", {})]
        for method, path, query in [*calls, ("DELETE", f"reaction/{made}/", {})]:
            with CaptureQueriesContext(connection) as queries:
                api.ok(method, path, **query)
            counts.append(len(queries))
            finish()
        return counts

    assert statements(12) == statements(30)


def test_many_that_are_deleted_at_once_share_what_a_request_does() -> None:
    roots = [api.react(ACTIVITIES[0])["id"] for _ in range(3)]
    for parent in roots:
        for number in range(4):
            api.answer_to(parent, "like", f"u{number}")
    api.ok("POST", "data_privacy/delete_reactions/", {"ids": roots})
    assert shown() == 3 * 3
    finish()
    assert not Reaction.objects.exists()


@pytest.mark.parametrize("seed", range(12))
def test_trees_are_right_in_the_end_whatever_happens_in_between(seed: int) -> None:
    chance = random.Random(seed)
    known: list[str] = []
    for _ in range(80):
        one = chance.choice(known) if known else None
        act = chance.choice(
            ["add", "answer", "answer", "answer", "soft", "hard", "restore", "restore", "step"]
        )
        if act == "step" and (job := ReactionJob.objects.order_by("?").first()):
            reaction_jobs.run_step(job.root)
        elif act == "add" or one is None:
            known.append(api.react(ACTIVITIES[0])["id"])
        elif act == "answer":
            answer = api.call("POST", "reaction/", {"kind": "like", "parent": one, "user_id": "eve"})
            known += [answer.body["id"]] if answer.status == 201 else []
        elif act == "restore":
            assert api.call("PUT", f"reaction/{one}/restore/").status in (201, 404)
        else:
            assert api.call("DELETE", f"reaction/{one}/", soft=act == "soft").status in (200, 404)
        assert counts_agree()
    finish()
    assert kept() == counted()
    assert out_of_step() == 0
    assert not Reaction.objects.filter(Q(reaction_id__startswith="/")).exists()
    assert not Reaction.objects.filter(deleted_with=F("pk")).exists()

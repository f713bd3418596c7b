"""A hundred differences of every kind, planted at once: all are found, and nothing else."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from django_stream.activities.ids import encoded
from django_stream.backends import get_client
from django_stream.models import Publication
from django_stream.server.models import Feed, ReactionCount, TimelineEntry
from django_stream.tracking import activities_paused
from tests.testapp.models import Album, Article, Member, Opinion, Subscription

pytestmark = pytest.mark.django_db(databases=["default", "other"])

N = 100
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
Told = set[tuple[str, str, str]]
"""Kind, place and thing of each difference."""
PARTS = ("untouched", "missing", "stale", "misplaced", "extra", "unreadable")
"""Titles and names of rows: N of each, and what is planted on them."""


def run(*args: str) -> list[dict[str, Any]]:
    out = StringIO()
    with suppress(CommandError):
        call_command(*args, "--json", stdout=out, stderr=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def found() -> Counter[tuple[str, str, str]]:
    lines = run("stream_verify")
    return Counter((line["kind"], line["place"], line["thing"]) for line in lines if "place" in line)


@pytest.fixture
def site(db: None) -> list[User]:
    """Rows that were there before the app; each user has an article and a follow that nobody touches."""
    users = User.objects.bulk_create(User(username=f"u{number}") for number in range(N))
    with activities_paused():
        articles = Article.objects.bulk_create(
            Article(author=user, title=part, published_at=START + timedelta(minutes=number))
            for part in PARTS
            for number, user in enumerate(users)
        )
        Opinion.objects.bulk_create(
            Opinion(user=users[0], article=article, text=part)
            for part in ("untouched", "missing", "stale", "extra")
            for article in articles[:N]
        )
        for part in ("untouched", "missing", "stale", "extra"):
            Album.objects.bulk_create(
                Album(owner=user, title=part, created_at=START - timedelta(days=1 + len(part)))
                for user in users
            )
            Member.objects.bulk_create(Member(email=f"{part}{n}@example.org", name=part) for n in range(N))
        for step in (1, 2):
            Subscription.objects.bulk_create(
                Subscription(reader=user, writer=users[(number + step) % N])
                for number, user in enumerate(users)
            )
    run("stream_backfill")
    run("stream_sync")
    assert found() == Counter()
    return users


def activities(title: str) -> list[tuple[Article, dict[str, Any]]]:
    articles = list(Article.objects.filter(title=title).select_related("author").order_by("pk"))
    named = [(f"testapp.Article:{one.pk}", one.published_at) for one in articles]
    return list(zip(articles, get_client().get_activities(foreign_id_times=named)["results"], strict=True))


def reactions(text: str) -> list[str]:
    keys = [str(pk) for pk in Opinion.objects.filter(text=text).values_list("pk", flat=True)]
    rows = Publication.objects.filter(model_label="testapp.Opinion#reaction", object_key__in=keys)
    return [row.records[0]["id"] for row in rows]


def lost_activities(users: list[User]) -> Told:
    told = set()
    for article, one in activities("missing"):
        get_client().feed("user", article.author_id).remove_activity(one["id"])
        told.add(("missing", f"user:{article.author_id}", one["id"]))
    return told


def changed_activities(users: list[User]) -> Told:
    some = activities("stale")
    get_client().update_activities([{**one, "title": "something else"} for _, one in some])
    return {("stale", f"user:{article.author_id}", one["id"]) for article, one in some}


def moved_activities(users: list[User]) -> Told:
    """Each to the feed of the next user."""
    told: Told = set()
    following = {one.pk: users[(place + 1) % N].pk for place, one in enumerate(users)}
    for article, one in activities("misplaced"):
        other = following[article.author_id]
        get_client().feed("user", article.author_id).remove_activity(one["id"])
        get_client().feed("user", other).add_activity({**one, "to": []})
        told.add(("missing", f"user:{article.author_id}", one["id"]))
        told.add(("misplaced", f"user:{other}", one["id"]))
    return told


def activities_of_no_row(users: list[User]) -> Told:
    """Half of them on feeds that nobody knows."""
    told: Told = set()
    for number in range(N):
        owner = users[number].pk if number % 2 else 10**6 + number
        ghost = {"actor": "x", "verb": "v", "object": "y", "foreign_id": f"testapp.Comment:{10**6 + number}"}
        added = get_client().feed("user", owner).add_activity({**ghost, "time": START})
        told.add(("extra", f"user:{owner}", added["id"]))
    return told


def deleted_articles(users: list[User]) -> Told:
    told: Told = {("extra", f"user:{row.author_id}", one["id"]) for row, one in activities("extra")}
    with activities_paused():
        Article.objects.filter(title="extra")._raw_delete("default")  # noqa: SLF001
    return told


def broken_rows(users: list[User]) -> Told:
    keys = Article.objects.filter(title="unreadable").values_list("pk", flat=True)
    return {("unreadable", "testapp.Article", str(pk)) for pk in keys}


def follows_by_two(users: list[User]) -> Told:
    """Those of the one after the next are lost."""
    pairs = [(f"timeline:{one.pk}", f"user:{users[(place + 2) % N].pk}") for place, one in enumerate(users)]
    get_client().unfollow_many({"source": source, "target": target} for source, target in pairs)
    return {("missing", *pair) for pair in pairs}


def follows_of_no_row(users: list[User]) -> Told:
    """Half of them by feeds that nobody knows."""
    pairs = [
        (f"timeline:{one.pk if place % 2 else 10**6 + place}", f"user:{users[(place + 3) % N].pk}")
        for place, one in enumerate(users)
    ]
    get_client().follow_many({"source": source, "target": target} for source, target in pairs)
    return {("extra", *pair) for pair in pairs}


def mirrored_users(users: list[User]) -> Told:
    client, ids = get_client(), {}
    for part in ("missing", "stale", "extra"):
        ids[part] = [f"testapp-member-{encoded(f'{part}{number}@example.org')}" for number in range(N)]
    client.users.delete_many(ids["missing"])
    client.users.add_many([{"id": one, "data": {"name": "else"}} for one in ids["stale"]], override=True)
    with activities_paused():
        Member.objects.filter(name="extra")._raw_delete("default")  # noqa: SLF001
    # Of half of them the ledger does not know either.
    Publication.objects.filter(object_key__in=[f"extra{number}@example.org" for number in range(50)]).delete()
    return {(part, "users", one) for part, some in ids.items() for one in some}


def mirrored_entries(users: list[User]) -> Told:
    client, keys = get_client(), {}
    for part in ("missing", "stale"):
        keys[part] = [str(pk) for pk in Album.objects.filter(title=part).values_list("pk", flat=True)]
    client.collections.delete_many("albums", keys["missing"])
    client.collections.upsert("albums", [{"id": one, "title": "else"} for one in keys["stale"]])
    keys["extra"] = [str(10**6 + number) for number in range(N)]
    client.collections.upsert("albums", [{"id": one, "title": "ghost"} for one in keys["extra"]])
    return {(part, "collection albums", one) for part, some in keys.items() for one in some}


def rows_reacting(users: list[User]) -> Told:
    client, ids = get_client(), {part: reactions(part) for part in ("missing", "stale", "extra")}
    client.data_privacy.delete_reactions(ids["missing"])
    for one in ids["stale"]:
        client.reactions.update(one, data={"text": "else"})
    with activities_paused():
        Opinion.objects.filter(text="extra")._raw_delete("default")  # noqa: SLF001
    return {(part, "reactions", one) for part, some in ids.items() for one in some}


def reactions_of_no_row(users: list[User]) -> Told:
    ids = [str(uuid5(NAMESPACE_URL, str(number))) for number in range(N)]
    for one, (_, activity) in zip(ids, activities("stale"), strict=True):
        get_client().reactions.add("opinion", activity["id"], "x", id=one)
    return {("extra", "reactions", one) for one in ids}


def emptied_timelines(users: list[User]) -> Told:
    feeds = Feed.objects.filter(slug="timeline", user_id__in=[str(one.pk) for one in users])
    TimelineEntry.objects.filter(feed__in=list(feeds.values_list("pk", flat=True))).delete()
    words = "the timeline is not what placements and follows make of it"
    return {("server", str(feed), words) for feed in feeds}


def wrong_counters(users: list[User]) -> Told:
    told: Told = set()
    for _, activity in activities("stale"):
        counter = ReactionCount.objects.filter(activity=activity["id"], kind="opinion")
        counter.update(count=77)
        told.add(
            ("server", f"activity {activity['id']}", "77 reactions of kind 'opinion' are noted, 1 there")
        )
    return told


PLANTED: list[Callable[[list[User]], Told]] = [
    reactions_of_no_row,
    rows_reacting,
    lost_activities,
    changed_activities,
    moved_activities,
    activities_of_no_row,
    deleted_articles,
    broken_rows,
    follows_by_two,
    follows_of_no_row,
    mirrored_users,
    mirrored_entries,
    emptied_timelines,
    wrong_counters,
]
"""What changes timelines and counters by the way comes before what breaks these."""


def test_all_that_was_planted_is_found_and_nothing_else(
    site: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    planted: Told = set()
    for plant in PLANTED:
        told = plant(site)
        assert len(told) % N == 0
        assert told
        assert planted.isdisjoint(told)
        planted |= told

    def target(self: Article) -> Any:
        if self.title == "unreadable":
            raise LookupError("gone")
        return self.editor

    with monkeypatch.context() as broken:
        broken.setattr(Article, "activity_target", property(target))
        differences = found()
    assert set(differences) - planted == set()
    assert planted - set(differences) == set()
    assert max(differences.values()) == 1, "each is told once"

    run("stream_repair")
    assert found() == Counter()

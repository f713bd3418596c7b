"""What reading costs: a page with instances, enrichment alone, and the API's enriched page."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from benchmarks.report import data
from benchmarks.report.models import TRACKED
from benchmarks.report.rows import Row, Timed, in_turns, timed
from django_stream.feeds import timeline
from django_stream.feeds.enrichment import Enrich

PAGE = 25


def page_rows(
    reader: User, activities: int, peer: subprocess.Popen[str] | None, rounds: int
) -> Iterator[Row]:
    """A page of 25 with instances against what one writes by hand, and against a peer."""
    by_hand, raw = by_hand_reader(reader)
    read = timeline(reader).page
    assert [str(one["object"]) for one in read(limit=PAGE).activities] == [str(row[2]) for row in by_hand()]
    calls: dict[str, Timed] = {
        "ours": timed(lambda: read(limit=PAGE), 5),
        "by hand": timed(by_hand, 5),
        "raw": timed(raw, 5),
    }
    if peer is not None:
        calls["peer"] = lambda: asked(peer)
    found = in_turns(calls, rounds)
    name = f"page of 25 with instances, {activities:,} activities"
    yield Row(name, found["ours"], 0.8, against="cursor + in_bulk by hand", limit=found["by hand"])
    yield Row(name, found["ours"], 5.0, against="the statement alone", limit=found["raw"])
    if peer is not None:
        yield Row(
            name, found["ours"], 3.5, against="django-activity-stream", limit=found["peer"], at_least=True
        )


def quiet_row(activities: int, peer: subprocess.Popen[str], rounds: int) -> Row:
    """The page of who follows a thousand authors that were last heard long ago.

    The peer walks through all that others have done since then, so the target is for the largest table.
    """
    read = timeline(data.late_reader()).page
    assert len(read(limit=PAGE).activities) == PAGE
    found = in_turns(
        {"ours": timed(lambda: read(limit=PAGE), 5), "peer": lambda: asked(peer, "quiet")}, rounds
    )
    return Row(
        f"the same page of quiet authors, {activities:,} activities",
        found["ours"],
        200 if connection.vendor == "sqlite" else 70,
        against="django-activity-stream",
        limit=found["peer"],
        at_least=True,
    )


def asked(peer: subprocess.Popen[str], what: str = "page") -> float:
    assert peer.stdin is not None and peer.stdout is not None  # noqa: PT018
    peer.stdin.write(f"{what}\n")
    peer.stdin.flush()
    return float(peer.stdout.readline())


def by_hand_reader(reader: User) -> tuple[Callable[[], list[Any]], Callable[[], list[Any]]]:
    """What a person would write for this page alone, and its statement."""
    models = {model._meta.label: model for model in TRACKED}
    statement = (
        "SELECT t.key, a.actor, a.object FROM django_stream_server_timelineentry t "
        "JOIN django_stream_server_activity a ON a.application_id = %s AND a.key = t.key "
        "WHERE t.feed = (SELECT id FROM django_stream_server_feed "
        "WHERE application_id = %s AND slug = 'timeline' AND user_id = %s) "
        f"ORDER BY t.key DESC LIMIT {PAGE + 1}"
    )

    def raw() -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement, [data.application(), data.application(), str(reader.pk)])
            return list(cursor.fetchall())

    def by_hand() -> list[Any]:
        rows = [(key, actor.partition(":")[2], *obj.split(":")) for key, actor, obj in islice(raw(), PAGE)]
        users = User.objects.in_bulk([int(actor) for _, actor, _, _ in rows])
        wanted: dict[str, list[int]] = {}
        for _, _, label, pk in rows:
            wanted.setdefault(label, []).append(int(pk))
        found = {label: models[label].objects.in_bulk(pks) for label, pks in wanted.items()}
        return [(key, users[int(actor)], found[label][int(pk)]) for key, actor, label, pk in rows]

    return by_hand, raw


def enriching_rows(peer: subprocess.Popen[str] | None, rounds: int) -> Iterator[Row]:
    """Enrichment alone, of activities about rows of five models, against `in_bulk` of each and a peer."""
    pairs = [
        (row.user_id, model, row.pk)
        for model in TRACKED
        for row in model._default_manager.order_by("pk")[: 100 // len(TRACKED)]
    ]
    enrich = Enrich(viewer=User.objects.order_by("pk").first())
    for count in (25, 100):
        some = [pairs[number * len(pairs) // count] for number in range(count)]
        activities = [
            {"actor": f"auth.User:{user}", "object": f"{model._meta.label}:{pk}", "target": ""}
            for user, model, pk in some
        ]

        def by_hand(some: list[Any] = some) -> list[Any]:
            users = User.objects.in_bulk({user for user, _, _ in some})
            wanted: dict[Any, list[int]] = {}
            for _, model, pk in some:
                wanted.setdefault(model, []).append(pk)
            found = {model: model.objects.in_bulk(pks) for model, pks in wanted.items()}
            return [(users[user], found[model][pk]) for user, model, pk in some]

        enriched = enrich.enrich_activities(activities)
        assert [(one["actor"], one["object"]) for one in enriched] == by_hand()
        calls: dict[str, Timed] = {
            "ours": timed(lambda activities=activities: enrich.enrich_activities(activities), 5),  # type: ignore[misc]
            "by hand": timed(by_hand, 5),
        }
        if peer is not None:
            calls["peer"] = lambda count=count: asked(peer, str(count))  # type: ignore[misc]
        found = in_turns(calls, rounds)
        name = f"enriching {count} of {len(TRACKED)} models"
        yield Row(name, found["ours"], 0.8, against="in_bulk by hand", limit=found["by hand"])
        if peer is not None:
            yield Row(name, found["ours"], 1.0, against="stream-django", limit=found["peer"], at_least=True)


def enriched_api_rows(rounds: int) -> Iterator[Row]:
    """The API's page of 25 with counts, recent and own reactions against the plain one."""
    from benchmarks.server.enrichment import FLAGS
    from django_stream.backends import get_client
    from django_stream.client.api import ANYTHING

    client = get_client()
    feed = client.feed("user", f"told-{uuid.uuid4().hex[:6]}")
    feed.add_activities([{"actor": "1", "verb": "say", "object": str(n)} for n in range(PAGE)])
    for activity in feed.get(limit=PAGE)["results"]:
        for number in range(4):
            client.reactions.add("like" if number % 4 else "comment", activity["id"], f"u{number}")

    def get(path: str, **query: Any) -> Any:
        return client.api.call("GET", path, ANYTHING, query={"limit": PAGE, **query})

    path = f"feed/{feed.slug}/{feed.user_id}/"
    assert len(get(f"enrich/{path}", **FLAGS)["results"]) == PAGE
    calls = {
        "plain": timed(lambda: get(path), 5),
        "enriched": timed(lambda: get(f"enrich/{path}", **FLAGS), 5),
    }
    found = in_turns(calls, rounds)
    name = "API page of 25 with 100 reactions"
    yield Row(name, found["enriched"], 2.5, against="the plain page", limit=found["plain"])

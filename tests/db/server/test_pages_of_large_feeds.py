"""A page reads what it shows, however much there is and whatever page is asked for.

On PostgreSQL without statistics, as on a site's first day: it takes what is of one feed, activity or user for
few rows, and would rather read and sort them all than walk along an index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from django_stream.protocol import limits
from django_stream.server import models
from django_stream.server.conf import server_settings
from django_stream.server.timelines import group_marks, unfollows
from tests.contract.calling import Api
from tests.db.server.plans import MANY, asked_by, forget_how_full, plan, plans_while_run, scanned

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite needs no full tables for its plans"),
]

api = Api()
# What a page of 100 may read of all tables together; counts read as many as they count.
ROWS, COUNTED = 4_000, 2 * limits.WAITING_COUNT_CAP + 4_000
# With very many reactions to one activity and one reaction, with very many elsewhere, and without any.
USERS = ("bob", "busy", "nobody")
KEY = "('01f0e5a0' || lpad(to_hex(n), 8, '0') || '1180800100000000')::uuid"
TABLES = {name: getattr(models, name)._meta.db_table for name in dir(models) if name[0].isupper()}


def run(sql: str, **values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(**TABLES, **values, key=KEY, n=f"generate_series(1, {MANY}) AS s(n)"))


@pytest.fixture
def place(db: None) -> dict[str, Any]:
    """Feeds, an activity, a user and a reaction with very many of everything."""
    made = api.ok("POST", "feed/user/hub/", {"actor": "a", "verb": "v", "object": "o"})
    for name in ("timeline/hub", "notification/hub", "user/idle"):
        api.ok("POST", f"feed/{name}/", {"actor": "a", "verb": "v", "object": "o"})
    api.ok("GET", "feed/notification/hub/")
    api.ok("POST", "user/", {"id": "bob"})
    first = api.ok("POST", "reaction/", {"kind": "like", "user_id": "bob", "activity_id": made["id"]})
    feeds = {f"{one.slug}_{one.user_id}": one.pk for one in models.Feed.objects.all()}
    values = {
        **feeds,
        "app": server_settings.own_app_id,
        "activity": made["id"],
        "parent": models.Reaction.objects.get().pk,
        "elsewhere": 0,
    }
    run("SET LOCAL session_replication_role = replica")
    forget_how_full()
    run(
        'INSERT INTO {Activity} (application_id, key, actor, verb, object, target, foreign_id, "to", extra, '
        "group_names, is_erased) SELECT {app}, {key}, 'SU:bob', 'v', 'o', '', 'f' || n, '[]', '{{}}', "
        "'{{}}', false FROM {n}",
        **values,
    )
    for name in ("user_hub", "timeline_hub", "notification_hub"):
        feed = feeds[name]
        run("INSERT INTO {TimelineEntry} (feed, key, via) SELECT {feed}, {key}, 0 FROM {n}", feed=feed)
        run(
            "INSERT INTO {Placement} (feed_id, key, seq, targeted) SELECT {feed}, {key}, n, false FROM {n}",
            feed=feed,
        )
    run(
        "INSERT INTO {ActivityGroup} (feed, name, newest, activity_count, actor_count, is_seen, is_read, "
        "created_at, updated_at) "
        "SELECT {notification_hub}, 'g' || n, {key}, 1, 1, false, false, now(), now() "
        "FROM {n}",
        **values,
    )
    run(
        "INSERT INTO {ActivityGroupEntry} (feed, key, group_id) SELECT feed, newest, id FROM {ActivityGroup} "
        "WHERE name LIKE 'g%'"
    )
    run(
        "INSERT INTO {Feed} (application_id, slug, user_id, version, created_at) "
        "SELECT {app}, 'timeline', 'x' || n, 0, now() "
        "FROM {n}",
        **values,
    )
    for source, target in (("id", "{user_hub}"), ("{timeline_hub}", "id")):
        run(
            "INSERT INTO {Follow} (source_id, target_id, since_seq, created_at) "
            f"SELECT {source}, {target}, 0, now() FROM {{Feed}} WHERE user_id LIKE 'x%'",
            **values,
        )
    viral, elsewhere = "'{activity}'", "{key}"
    for user, level, activity, parent in (
        ("bob", 1, viral, "NULL"),
        ("bob", 2, viral, "{parent}"),
        ("busy", 1, elsewhere, "NULL"),
        ("busy", 2, elsewhere, "{elsewhere}"),
    ):
        run(
            "INSERT INTO {Reaction} (application_id, reaction_id, kind, activity, parent_id, "
            "parent_reaction_id, level, user_id, data, target_feeds, target_feeds_extra_data, created_at, "
            f"updated_at) SELECT {{app}}, '{user}{level}.' || n, 'like', {activity}, {parent}, "
            f"'', {level}, '{user}', '{{{{}}}}', '[]', '{{{{}}}}', now(), now() FROM {{n}}",
            **values,
        )
    run("INSERT INTO {ChildCount} (parent_id, kind, count) VALUES ({parent}, 'like', 1)", **values)
    return {"first": first["id"], **values}


def parts(part: dict[str, Any]) -> list[tuple[int, str]]:
    """What a plan and all below it read, the dearest first."""
    below = [one for other in part.get("Plans", ()) for one in parts(other)]
    return sorted([scanned(part), *below], reverse=True)


def calls(place: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    reactions = {"with_recent_reactions": "true", "with_own_reactions": "true", "with_own_children": "true"}
    for limit in (1, 25, 100):
        for feed in ("user/hub", "timeline/hub", "notification/hub"):
            last = api.ok("GET", f"feed/{feed}/", limit=limit)["results"][-1]["id"]
            yield f"feed/{feed}/", {"limit": limit}
            yield f"feed/{feed}/", {"limit": limit, "id_lt": last}
            yield f"feed/{feed}/", {"limit": limit, "offset": 30}
            for user in USERS:
                yield f"enrich/feed/{feed}/", {"limit": limit, "user_id": user, **reactions}
        for feed in ("user/hub", "timeline/hub"):
            yield f"feed/{feed}/", {"limit": limit, "order": "oldest"}
        # For the sake of 100 feeds PostgreSQL reads 40,000, and of more it does not.
        yield "feed/user/hub/followers/", {"limit": min(limit, 50)}
        yield "feed/timeline/hub/follows/", {"limit": min(limit, 50)}
        yield "feed/timeline/hub/follows/", {"limit": limit, "filter": "user:hub,user:none"}
    for limit in (1, 25):
        for lookup in (f"activity_id/{place['activity']}", f"reaction_id/{place['first']}", "user_id/bob"):
            for kind in ("", "like/", "rare/"):
                path = f"reaction/{lookup}/{kind}"
                yield path, {"limit": limit}
                yield path, {"limit": limit, "id_lt": "bob1.500"}
                yield path, {"limit": limit, "id_gt": "bob1.500"}
                for user in USERS:
                    yield path, {"limit": limit, "filter_user_id": user}
    yield "activities/", {"ids": place["activity"]}
    yield "reaction/get_many/", {"ids": "bob1.1,bob1.2"}
    yield "audit_logs/", {"user_id": "bob"}
    yield "user/bob/", {"with_follow_counts": "true"}
    yield "stats/follow/", {"followers": "user:hub", "following": "timeline:hub"}


def asked(path: str, query: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The statements of a page."""
    body: Any = {}
    for sql, params in asked_by(lambda: body.update(api.ok("GET", path, **query))).items():
        if sql.startswith("SELECT") and " FOR " not in sql:
            yield sql, params


@pytest.mark.parametrize("pushed", [10**9, 0])
def test_a_page_reads_what_it_shows(pushed: int, place: dict[str, Any], settings: Any) -> None:
    settings.STREAM_SERVER_PUSH_FOLLOWERS_MAX = pushed
    dear = {}
    for path, query in calls(place):
        for sql, params in asked(path, query):
            read = parts(plan(sql, params, "ANALYZE, TIMING OFF, "))
            if sum(rows for rows, _ in read) > (COUNTED if "count(*)" in sql else ROWS):
                dear[path, str(query)] = read[:2]
    assert not dear, "\n".join(f"{call}: {read}" for call, read in dear.items())


def read_by(call: Callable[[], Any]) -> list[tuple[str, list[tuple[int, str]]]]:
    """The statements of a call, also those that change something, with the parts of their plans."""
    return [(sql, parts(found)) for sql, found in plans_while_run(call)]


@pytest.mark.parametrize("name", ["mark_seen", "mark_read", "mark_unread"])
def test_marks_read_what_they_mark(name: str, place: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group_marks, "AT_ONCE", 1_000)
    monkeypatch.setattr(group_marks.background, "on_commit", lambda *_: None)

    def mark(which: str) -> None:
        api.ok("GET", "feed/notification/hub/", limit=0, **{name: which})

    shown = api.ok("GET", "feed/notification/hub/", limit=100)["results"]
    found = read_by(lambda: mark(",".join(group["id"] for group in shown)))
    found += read_by(lambda: mark("true"))
    [job] = models.MarkJob.objects.all()
    found += read_by(lambda: group_marks.run_step(job.pk))
    assert not too_dear(found)


def too_dear(found: list[tuple[str, list[tuple[int, str]]]]) -> list[tuple[str, list[tuple[int, str]]]]:
    return [
        (sql[:200], read[:2])
        for sql, read in found
        if sum(rows for rows, _ in read) > (COUNTED if "unseen" in sql else ROWS)
    ]


def test_writes_read_what_they_change(place: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unfollows, "LOOKED_UP", 1_000)
    monkeypatch.setattr(unfollows, "AT_ONCE", 1_000)
    activity = {"actor": "SU:bob", "verb": "v", "object": "o"}
    found = []
    for method, path, body, query in (
        ("POST", "feed/timeline/hub/", activity, {}),  # one of very many feeds of its group
        ("POST", "feed/user/idle/", {**activity, "to": ["notification:hub"]}, {}),
        ("POST", "feed/timeline/new/follows/", {"target": "user:idle"}, {}),
        # Both with very many follows, and the target with very many placements.
        ("POST", "feed/timeline/hub/follows/", {"target": "user:hub", "activity_copy_limit": 10}, {}),
        ("DELETE", "feed/timeline/hub/follows/user:hub/", None, {"keep_history": "true"}),
        ("POST", "feed/timeline/hub/follows/", {"target": "user:hub", "activity_copy_limit": 10}, {}),
        ("DELETE", "feed/timeline/hub/follows/user:hub/", None, {}),
        ("POST", "follow_many/", [{"source": "timeline:hub", "target": "user:hub"}], {}),
        ("POST", "unfollow_many/", [{"source": "timeline:hub", "target": "user:hub"}], {}),
        ("GET", "feed/user/hub/followers/", None, {"filter": "timeline:x1,timeline:x2"}),
        ("DELETE", "reaction/bob1.5/", None, {"soft": "true"}),  # it has no children
        ("DELETE", "reaction/bob1.7/", None, {}),
    ):
        found += read_by(lambda call=(method, path, body), more=query: api.ok(*call, **more))
    assert not too_dear(found)


def test_a_group_of_very_many_is_not_read_whole(place: dict[str, Any]) -> None:
    activity = {"actor": "new", "verb": "v", "object": "o"}
    fields = activity | {"foreign_id": "x", "time": "2026-01-31T12:00:00"}
    made = api.ok("POST", "feed/notification/large/", fields)
    api.ok("GET", "feed/notification/large/")
    feed = models.Feed.objects.get(slug="notification", user_id="large")
    group = models.ActivityGroup.objects.get(feed=feed.pk)
    run(
        "INSERT INTO {TimelineEntry} (feed, key, via) SELECT {feed}, {key}, 0 FROM {n}; "
        "INSERT INTO {ActivityGroupEntry} (feed, key, group_id) SELECT {feed}, {key}, {group} FROM {n}; "
        "UPDATE {ActivityGroup} SET activity_count = {many} + 1, actor_count = 2 WHERE id = {group}",
        feed=group.feed,
        group=group.pk,
        many=MANY,
    )
    found = []
    for method, path, body in (
        ("POST", "feed/notification/large/", fields | {"foreign_id": "y", "actor": "SU:bob"}),
        ("POST", "feed/notification/large/", fields | {"foreign_id": "z", "actor": "newer"}),
        ("POST", "activities/", {"activities": [fields | {"actor": "newest"}]}),
        ("DELETE", f"feed/notification/large/{made['id']}/", None),
    ):
        api.ok(method, path, body)
        found += read_by(lambda: api.ok("GET", "feed/notification/large/"))
    assert not too_dear(found)
    group.refresh_from_db()
    assert (group.activity_count, group.actor_count) == (MANY + 2, 3)

"""The dearest request of each endpoint, at its limits: seconds and megabytes of each, against the targets.

Run: `DATABASE_URL=... python -m benchmarks.worst_requests [--followers 200000] [--only NAME] [--analyze]`.
Without `--analyze` PostgreSQL has no statistics, as on a site's first day. Each request runs in a process
of its own, whose peak of memory is told above what it began with. A user token's request may take 1 s and
200 MB, a batch of a server token 3 s.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django

USER_SECONDS, BATCH_SECONDS, MEGABYTES = 1.0, 3.0, 200
GROUPS = 300_000


@dataclass(frozen=True)
class Request:
    """One call of the API, by a user (`eve`) or by the application's server."""

    name: str
    method: str
    path: str
    body: Any = None
    query: dict[str, Any] | None = None
    user: bool = True
    upload: Path | None = None
    status: tuple[int, ...] = (200, 201, 400, 413)

    @property
    def seconds(self) -> float:
        return USER_SECONDS if self.user else BATCH_SECONDS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--followers", type=int, default=200_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--analyze", action="store_true")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.worst_settings"
    django.setup()
    prepare(options.followers)
    if options.analyze:
        from benchmarks.server import data

        data.analyze()
    with tempfile.TemporaryDirectory() as folder:
        missed = [
            one.name for one in requests(Path(folder)) if options.only in one.name and not measured(one)
        ]
    print(f"missed: {', '.join(missed)}" if missed else "every target is met")
    return 1 if missed else 0


def prepare(followers: int) -> None:
    """A feed of 25,000 by one actor, one with so many followers, and a user with all the data it may have."""
    from benchmarks.server import data
    from django_stream.server.models import Activity, Follow, Placement, Reaction, StreamUser

    data.prepare(GROUPS)
    true = "true" if _postgres() else "1"
    eve, hub = data.feeds("user", 2)
    timeline = data.feeds("timeline", followers)[0]
    data.run(f"UPDATE {Activity._meta.db_table} SET actor = 'SU:eve'")
    data.run(f"UPDATE django_stream_server_feed SET user_id = 'eve', version = 25000 WHERE id = {eve}")
    data.run(f"UPDATE django_stream_server_feed SET user_id = 'hub' WHERE id = {hub}")
    data.run(f"UPDATE django_stream_server_feed SET user_id = 'eve' WHERE id = {timeline}")
    data.timeline(eve, 25_000, [0])
    data.timeline(timeline, 25_000, [eve])
    data.run(
        f"INSERT INTO {Placement._meta.db_table} (feed_id, key, seq, targeted) "
        f"SELECT {eve}, {data.key()}, n + 1, NOT {true} FROM {data.series(25_000)}"
    )
    now = "now()" if _postgres() else "'2026-01-01 00:00:00'"
    data.run(
        f"INSERT INTO {Follow._meta.db_table} (source_id, target_id, since_seq, created_at) "
        f"SELECT {timeline} + n, {hub}, 0, {now} FROM {data.series(followers)}"
    )
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    big = {"text": "x" * 64_000}
    StreamUser.objects.create(application_id=data.APP, user_id="big", data=big)
    activity = Activity.objects.order_by("-key").first()
    Reaction.objects.bulk_create(
        Reaction(
            application_id=data.APP,
            reaction_id=f"r{number}",
            kind=f"kind{number % 50}",
            activity=activity.activity_id,
            user_id="big",
            data=big,
            created_at=moment,
            updated_at=moment,
        )
        for number in range(500)
    )
    for number in (20_000, 100_000):
        _of_one_foreign_id(timeline, number)
    _groups(GROUPS)
    _one_group(GROUPS)
    _followed(GROUPS)
    _comments(activity, 20_000)
    _large_objects(big)


def _of_one_foreign_id(feed: int, count: int) -> None:
    """So many activities on a feed under one foreign_id, which is their number."""
    from benchmarks.server import data
    from django_stream.server.models import Activity, Placement, TimelineEntry

    # Other keys than those of all other activities.
    key = data.key().replace("800100000000", f"80{count:010}")
    false = "false" if _postgres() else "0"
    data.run(
        f"INSERT INTO {Activity._meta.db_table} "
        '(application_id, key, actor, verb, object, target, foreign_id, "to", extra, group_names, is_erased) '
        f"SELECT {data.APP}, {key}, 'SU:eve', 'v', 'o', '', '{count}', '[]', '{{}}', '{{}}', {false} "
        f"FROM {data.series(count)}"
    )
    data.run(
        f"INSERT INTO {Placement._meta.db_table} (feed_id, key, seq, targeted) "
        f"SELECT {feed}, {key}, n + 1, {false} FROM {data.series(count)}"
    )
    data.run(
        f"INSERT INTO {TimelineEntry._meta.db_table} (feed, key, via) "
        f"SELECT {feed}, {key}, 0 FROM {data.series(count)}"
    )
    data.run(f"UPDATE django_stream_server_feed SET version = {count} WHERE id = {feed}")


def _groups(count: int) -> None:
    """A notification feed of eve's with so many groups, none of them seen."""
    from benchmarks.server import data
    from django_stream.server.models import ActivityGroup, ActivityGroupEntry, Feed

    feed = Feed.objects.create(application_id=data.APP, slug="notification", user_id="eve").pk
    no, now = ("false", "now()") if _postgres() else ("0", "'2026-01-01 00:00:00'")
    data.timeline(feed, count, [0])
    data.run(
        f"INSERT INTO {ActivityGroup._meta.db_table} "
        "(feed, name, newest, activity_count, actor_count, is_seen, is_read, created_at, updated_at) "
        f"SELECT {feed}, 'g' || n, {data.key()}, 1, 1, {no}, {no}, {now}, {now} FROM {data.series(count)}"
    )
    data.run(
        f"INSERT INTO {ActivityGroupEntry._meta.db_table} (feed, key, group_id) "
        f"SELECT {feed}, newest, id FROM {ActivityGroup._meta.db_table} WHERE feed = {feed}"
    )


def _one_group(count: int) -> None:
    """A notification feed with so many activities in one group, that of today's `v`."""
    from benchmarks.server import data
    from django_stream.server.models import ActivityGroup, ActivityGroupEntry, Feed
    from tests.contract.calling import ok

    ok("POST", "feed/notification/viral/", {"actor": "SU:eve", "verb": "v", "object": "o"})
    ok("GET", "feed/notification/viral/")
    feed = Feed.objects.get(slug="notification", user_id="viral").pk
    group = ActivityGroup.objects.get(feed=feed)
    ActivityGroup.objects.filter(feed=feed).update(activity_count=count + 1)
    data.timeline(feed, count, [0])
    data.run(
        f"INSERT INTO {ActivityGroupEntry._meta.db_table} (feed, key, group_id) "
        f"SELECT {feed}, {data.key()}, {group.pk} FROM {data.series(count)}"
    )


def _followed(count: int) -> None:
    """A feed with so many activities, all of them brought to a notification feed of eve's."""
    from benchmarks.server import data
    from django_stream.server.models import Feed, Follow, Placement

    followed = Feed.objects.create(application_id=data.APP, slug="user", user_id="loud", version=count).pk
    feed = Feed.objects.create(application_id=data.APP, slug="timeline_aggregated", user_id="eve").pk
    Follow.objects.create(source_id=feed, target_id=followed, since_seq=0)
    data.timeline(feed, count, [followed])
    false = "false" if _postgres() else "0"
    data.run(
        f"INSERT INTO {Placement._meta.db_table} (feed_id, key, seq, targeted) "
        f"SELECT {followed}, {data.key()}, n + 1, {false} FROM {data.series(count)}"
    )


def _large_objects(data: dict[str, str]) -> None:
    """100 activities on a feed: each refers to 25 users of its own, with as much data as they may have.

    Each has 40 kinds of reactions, and the newest activity 1,000 large ones.
    """
    from benchmarks.server import data as made
    from django_stream.server.models import Reaction, ReactionCount, StreamUser
    from tests.contract.calling import ok

    StreamUser.objects.bulk_create(
        (StreamUser(application_id=made.APP, user_id=f"dear{n}", data=data) for n in range(2500)),
        batch_size=100,
    )
    posted = [
        {"actor": "SU:eve", "verb": "v", "object": "o", "time": _time(number), "foreign_id": f"dear:{number}"}
        | {f"f{n}": f"SU:dear{number * 25 + n}" for n in range(25)}
        for number in range(100)
    ]
    stored = ok("POST", "feed/user/dear/", {"activities": posted})["activities"]
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    Reaction.objects.bulk_create(
        (
            Reaction(
                application_id=made.APP,
                reaction_id=f"d{number}.{n}",
                kind=f"kind{n % 40}",
                activity=activity["id"],
                user_id=f"dear{n}",
                data=data if activity is stored[-1] else {},
                created_at=moment,
                updated_at=moment,
            )
            for number, activity in enumerate(stored)
            for n in range(1000 if activity is stored[-1] else 200)
        ),
        batch_size=100,
    )
    ReactionCount.objects.bulk_create(
        ReactionCount(
            application_id=made.APP,
            activity=activity["id"],
            kind=f"kind{n}",
            count=25 if activity is stored[-1] else 5,
        )
        for activity in stored
        for n in range(40)
    )


def _comments(activity: Any, count: int) -> None:
    """A comment of eve's with so many answers by others, each shown on two feeds."""
    from benchmarks.server import data
    from django_stream.server.models import ChildCount, Reaction

    moment = datetime(2026, 1, 1, tzinfo=UTC)
    common = {"application_id": data.APP, "activity": activity.activity_id, "kind": "comment"}
    times = {"created_at": moment, "updated_at": moment}
    root = Reaction.objects.create(**common, **times, reaction_id="root", user_id="eve", data={})
    Reaction.objects.bulk_create(
        Reaction(
            **common,
            **times,
            reaction_id=f"answer{number}",
            user_id=f"u{number}",
            data={},
            parent=root,
            parent_reaction_id="root",
            level=2,
            target_feeds=[f"user:u{number}", "notification:eve"],
        )
        for number in range(count)
    )
    ChildCount.objects.create(parent=root, kind="comment", count=count)


def requests(folder: Path) -> Iterator[Request]:
    """Each endpoint's dearest call that is known."""
    activity = {"actor": "SU:eve", "verb": "v", "object": "o"}
    addressed = [
        activity | {"foreign_id": f"t:{n}", "to": [f"notification:{n}_{m}" for m in range(100)]}
        for n in range(100)
    ]
    references = {f"f{n}": "SU:big" for n in range(25)}
    yield Request("100 activities, 100 targets each", "POST", "feed/user/eve/", {"activities": addressed})
    yield Request("the same by the server", "POST", "feed/user/eve/", {"activities": addressed}, user=False)
    yield Request(
        "100 activities of 10 KB",
        "POST",
        "feed/user/eve/",
        {"activities": [activity | {"foreign_id": f"k:{n}", "text": "x" * 10_000} for n in range(100)]},
    )
    yield Request(
        "100 activities with 25 references",
        "POST",
        "feed/user/eve/",
        {"activities": [activity | references | {"foreign_id": f"r:{n}"} for n in range(100)]},
    )
    reactions = {"withRecentReactions": "true", "recentReactionsLimit": 25, "withOwnReactions": "true"}
    for feed, what in (("eve", "one user"), ("dear", "2,500 users")):
        path = f"enrich/feed/user/{feed}/"
        yield Request(f"enriched, references to {what}", "GET", path, query={"limit": 100})
        yield Request(f"the same with reactions, {feed}", "GET", path, query={"limit": 100, **reactions})
    yield Request(
        "ranked, session -1", "GET", "feed/user/eve/", query={"ranking": "popular", "session": "-1"}
    )
    yield Request(
        "ranked, 1,000 activities", "GET", "feed/user/eve/", query={"ranking": "popular", "limit": 100}
    )
    yield Request("discard_actors of all", "GET", "feed/user/eve/", query={"discard_actors": "SU:eve"})
    yield Request("offset of all", "GET", "feed/user/eve/", query={"offset": 100_000})
    yield Request("offset beyond", "GET", "feed/user/eve/", query={"offset": 2**63})
    yield Request(f"a page of {GROUPS:,} groups", "GET", "feed/notification/eve/", query={"limit": 100})
    yield Request(
        f"{GROUPS:,} groups marked",
        "GET",
        "feed/notification/eve/",
        query={"mark_read": "true", "mark_seen": "true"},
    )
    yield Request(f"a page with a group of {GROUPS:,}", "GET", "feed/notification/viral/", user=False)
    yield Request("something comes to it", "POST", "feed/notification/viral/", activity, user=False)
    yield Request("and it is read", "GET", "feed/notification/viral/", user=False)
    yield Request(
        f"{GROUPS:,} taken along by an unfollow", "DELETE", "feed/timeline_aggregated/eve/follows/user:loud/"
    )
    yield Request("and the feed is read", "GET", "feed/timeline_aggregated/eve/")
    yield Request(
        "followers counted by a rare group",
        "GET",
        "stats/follow/",
        query={"followers": "user:hub", "followers_slugs": "notification"},
    )
    # Each of the 20,000 answers is on two feeds.
    yield Request("20,000 answers hidden", "DELETE", "reaction/root/", query={"soft": "true"})
    yield Request("20,000 answers restored", "PUT", "reaction/root/restore/")
    yield Request("20,000 answers deleted", "DELETE", "reaction/root/")
    names = [f"timeline:{n}" for n in range(1000)]
    yield Request(
        "followers among 1,000",
        "GET",
        "feed/user/hub/followers/",
        query={"filter": ",".join(names)},
        user=False,
    )
    yield Request(
        "follows among 1,500",
        "GET",
        "feed/timeline/eve/follows/",
        query={"filter": ",".join(names * 2)[:14_000]},
    )
    yield Request(
        "add_to_many of 5,000",
        "POST",
        "feed/add_to_many/",
        {"activity": activity, "feeds": [f"notification:m{n}" for n in range(5000)]},
        user=False,
    )
    pairs = [{"source": f"timeline:{n}", "target": "user:eve"} for n in range(2500)]
    copied = {"activity_copy_limit": 300}
    yield Request("follow_many of 2,500, 300 copied", "POST", "follow_many/", pairs, query=copied, user=False)
    yield Request("unfollow_many of 2,500", "POST", "unfollow_many/", pairs, user=False)
    yield Request(
        "update of 100 with new text",
        "POST",
        "activities/",
        {
            "activities": [
                {**activity, "foreign_id": f"c:{n}", "time": _time(n), "text": "new"} for n in range(100)
            ]
        },
    )
    yield Request("a post to 200,000 followers", "POST", "feed/user/hub/", activity, user=False)
    moved = [
        {
            "foreign_id": f"m:{n}",
            "time": _time(n),
            "added_targets": [f"notification:m{n}_{m}" for m in range(100)],
        }
        for n in range(100)
    ]
    posted = [activity | {"foreign_id": f"m:{n}", "time": _time(n)} for n in range(100)]
    yield Request(
        "100 activities to be addressed", "POST", "feed/user/eve/", {"activities": posted}, user=False
    )
    path = "feed_targets/user/eve/activity_to_targets/"
    yield Request("100 changes of 100 targets", "POST", path, moved, user=False)
    same = [
        activity | {"foreign_id": "same", "time": _time(n), "to": [f"notification:s{n % 7}"]}
        for n in range(100)
    ]
    for part in range(20):
        times = [one | {"time": _time(part * 100 + n)} for n, one in enumerate(same)]
        yield Request(f"same foreign_id {part}", "POST", "feed/user/eve/", {"activities": times})
    yield Request(
        "removal of 2,000 of one foreign_id", "DELETE", "feed/user/eve/same/", query={"foreign_id": 1}
    )
    for number in (20_000, 100_000):
        path, by_foreign_id = f"feed/timeline/eve/{number}/", {"foreign_id": 1}
        yield Request(f"removal of {number:,} of one foreign_id", "DELETE", path, query=by_foreign_id)
    yield Request("removal of what is addressed", "DELETE", "feed/user/eve/t:5/", query={"foreign_id": 1})
    for name, content in pictures(folder):
        yield Request(name, "POST", "images/", upload=content)


def _time(number: int) -> str:
    return (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)).isoformat()


def pictures(folder: Path) -> Iterator[tuple[str, Path]]:
    """Files that are small for what they unpack to."""
    from PIL import Image

    def kept(name: str, image: Image.Image, form: str, **options: Any) -> tuple[str, Path]:
        path = folder / name.replace(" ", "_")
        image.save(path, form, **options)
        return name, path

    noise = Image.effect_noise((2600, 2600), 90).convert("RGB")
    yield kept("a lossy WebP at the limit", noise.resize((2850, 2500)), "WEBP", quality=80, method=0)
    yield kept("a lossless WebP at the limit", Image.new("RGB", (2850, 2500)), "WEBP", lossless=True)
    yield kept("a noisy PNG", noise, "PNG", compress_level=1)
    yield kept("a flat PNG at the limit", Image.new("RGB", (4000, 4000)), "PNG")
    yield kept("a JPEG of 48 megapixels", noise.resize((8000, 6000)), "JPEG", quality=60)
    yield kept("a WebP beyond the limit", Image.new("RGB", (16383, 16383)), "WEBP", lossless=True, method=0)
    frames = [Image.new("P", (700, 700), n) for n in range(50)]
    yield kept("a GIF of 50 frames", frames[0], "GIF", save_all=True, append_images=frames[1:])


def measured(request: Request) -> bool:
    """Run one request in a process of its own and print what it took; whether that is within the target."""
    from django.db import connections

    connections.close_all()
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_run, args=(request, there))
    child.start()
    answered = here.poll(120)
    status, seconds, megabytes, size = here.recv() if answered else (0, 120.0, 0, 0)
    if not answered:
        child.kill()
    child.join()
    met = status in request.status and seconds <= request.seconds and megabytes <= MEGABYTES
    who = "user" if request.user else "server"
    print(
        f"  {request.name:<40} {who:<6} {status:>3} {seconds:7.2f} s {megabytes:5.0f} MB "
        f"{size / 1e6:7.2f} MB answer  {'ok' if met else 'MISSED'}",
        flush=True,
    )
    return met


def _run(request: Request, pipe: Any) -> None:
    from django.core.signals import request_finished, request_started

    from django_stream.protocol.credentials import EMBEDDED_API_KEY
    from django_stream.protocol.messages import ApiRequest, Upload
    from django_stream.server.dispatch import handle
    from django_stream.wakeup import waker
    from tests.contract.calling import token, user_token

    upload = None
    if request.upload is not None:
        upload = Upload("a.bin", io.BytesIO(request.upload.read_bytes()), None)
    query = {name: str(value) for name, value in (request.query or {}).items()}
    auth = user_token("eve") if request.user else token()
    call = ApiRequest(request.method, request.path, EMBEDDED_API_KEY, auth, query, request.body, upload)
    _warm_up(handle)
    request_started.send(None)
    before, started = _peak(), time.perf_counter()
    answer = handle(call)
    size = len(json.dumps(answer.body))
    pipe.send((answer.status, time.perf_counter() - started, _peak() - before, size))
    request_finished.send(None)
    # There are no workers: what is too much for a request is done by a thread of this process.
    waker.flush()


def _warm_up(handle: Callable[[Any], Any]) -> None:
    from django_stream.protocol.credentials import EMBEDDED_API_KEY
    from django_stream.protocol.messages import ApiRequest
    from tests.contract.calling import token

    handle(ApiRequest("GET", "feed/user/nobody/", EMBEDDED_API_KEY, token()))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _postgres() -> bool:
    from django.db import connection

    return bool(connection.vendor == "postgresql")


if __name__ == "__main__":
    sys.exit(main())

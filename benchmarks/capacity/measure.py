"""Measure the costs on servers of PostgreSQL and Redis of our own, which nobody else asks."""

from __future__ import annotations

import os
import platform
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import django
from django.core.management import call_command

from benchmarks.capacity.costs import Cost, Costs
from benchmarks.capacity.meter import cost, cost_after, database_bytes, process_bytes, table_bytes
from benchmarks.simulation.population import power_law

_USERS, _FOLLOWS = 5_000, 50
_POSTS, _FAMOUS_POSTS = 2_500, 50
_TIMELINES = 200
_HEAVY, _ROUNDS = 700, 12
# As a server in earnest, but for its size.
_OPTIONS = {"fsync": "on", "full_page_writes": "on", "shared_buffers": "1GB", "max_wal_size": "16GB"}
_OPTIONS |= {"checkpoint_timeout": "1h", "autovacuum": "off"}


@contextmanager
def servers() -> Iterator[None]:
    """PostgreSQL and a Redis Cluster, until the end of the block; Django is set up with them."""
    from tests.scale.nodes import Nodes
    from tests.services.postgres import Postgres
    from tests.services.processes import Reaper

    reaper = Reaper()
    postgres, nodes = Postgres(reaper, **_OPTIONS), Nodes(reaper)
    try:
        postgres.start()
        postgres.create("measured")
        nodes.start()
        os.environ["DATABASE_URL"], os.environ["CLUSTER_URL"] = postgres.url("measured"), nodes.url
        os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.capacity.settings"
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("migrate", verbosity=0, run_syncdb=True)
        yield
    finally:
        nodes.stop()
        postgres.server.stop()
        reaper.close()


def measured() -> Costs:
    """A few minutes."""
    from celery import Celery

    from benchmarks.simulation import site
    from django_stream.server.models import Follow

    others = os.getloadavg()[0]
    Celery(broker="memory://").set_current()
    followers = [*power_law(_USERS, _FOLLOWS), 0]
    site.fill(followers)
    famous, unknown = 0, _USERS
    many = followers[famous]
    activity_bytes = _grown([unknown] * _POSTS) / _POSTS
    entry_bytes = _grown([famous] * _FAMOUS_POSTS) / _FAMOUS_POSTS - activity_bytes
    first_touch = _after_checkpoint(famous) / many
    save = cost(lambda: site.save(unknown), 400)
    site.publish()
    alone = _drain([unknown], 150)
    activity = (_drain([unknown] * 50, 10) - alone) * (1 / 49)
    follower = (_drain([famous], 40) - alone) * (1 / many)
    page = _page(600)
    pulled = _pulled(followers)
    on_cluster, redis_ms = _on_cluster(followers, alone)
    return Costs(
        measured=f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores with a load of {others:.0f} "
        f"by others, Python {platform.python_version()}",
        save=save,
        page=page,
        drain=alone,
        activity=activity,
        follower=follower,
        pulled=pulled,
        follower_on_cluster=on_cluster,
        redis_follower=redis_ms,
        wal_first_touch=first_touch,
        process_bytes=process_bytes(),
        activity_bytes=activity_bytes,
        entry_bytes=entry_bytes / many,
        follow_bytes=table_bytes(Follow._meta.db_table) / Follow.objects.count(),
        redis_entry_bytes=_redis_entry_bytes(),
    )


def _drain(authors: Sequence[int], times: int) -> Cost:
    """Of one that finds a post of each."""
    from benchmarks.simulation import site

    def posted() -> None:
        for author in authors:
            site.save(author)

    return cost_after(posted, site.publish, times)


def _page(times: int) -> Cost:
    """Of whoever comes."""
    from benchmarks.simulation import site

    chance = random.Random(1)
    return cost(lambda: site.page(chance.randrange(_USERS)), times)


def _pulled(followers: Sequence[int]) -> Cost:
    """Of one followed feed that a page merges, where each of them has something as new as the page."""
    from django.test import override_settings

    heavy = [author for author, count in enumerate(followers) if count > _HEAVY]
    merged = sum(followers[author] for author in heavy) / _USERS
    with override_settings(STREAM_SERVER_PUSH_FOLLOWERS_MAX=_HEAVY):
        # The first post opens the feed, and what comes next is pulled.
        for _ in range(2):
            _posted(heavy)
    more = Cost(0.0, 0.0)
    for _ in range(_ROUNDS):
        with override_settings(STREAM_SERVER_PUSH_FOLLOWERS_MAX=_HEAVY):
            more += _page(60)
        # The same feeds, of whose last posts nobody hears.
        more -= _page(60)
    return more * (1 / merged / _ROUNDS)


def _posted(authors: Sequence[int]) -> None:
    from benchmarks.simulation import site

    for author in authors:
        site.save(author)
    site.publish()


def _grown(authors: Sequence[int]) -> float:
    """By how many bytes the tables grow when these post again; the first time leaves room to reuse."""
    _posted(authors)
    _sql("VACUUM ANALYZE")
    before = database_bytes()
    _posted(authors)
    _sql("VACUUM ANALYZE")
    return database_bytes() - before


def _after_checkpoint(author: int) -> float:
    """Bytes of the log of a post, when no page was written since the last checkpoint."""
    _sql("CHECKPOINT")
    return cost(lambda: _posted([author])).wal


def _on_cluster(followers: Sequence[int], alone: Cost) -> tuple[Cost, float]:
    """Of one follower: in Python and PostgreSQL, and the milliseconds of all masters."""
    from django.test import override_settings

    from benchmarks.simulation import site

    author = next(number for number, count in enumerate(followers) if count <= 1000)
    with override_settings(STREAM_SERVER_TIMELINES=os.environ["CLUSTER_URL"]):
        for number in range(author + 1, author + 1 + followers[author]):
            site.page(number)
        before = _of_masters("cpu", "used_cpu_user", "used_cpu_sys")
        whole = _drain([author], 40)
        redis = _of_masters("cpu", "used_cpu_user", "used_cpu_sys") - before
    share = 1 / followers[author]
    return (whole - alone) * share, redis * 1000 / 40 * share


def _redis_entry_bytes() -> float:
    """Of an entry in timelines of the length that is kept."""
    from uuid import uuid4

    from redis.cluster import RedisCluster

    from django_stream.server.conf import server_settings
    from django_stream.server.timelines.clustered.members import Entry

    before, length = _of_masters("memory", "used_memory"), server_settings.TIMELINES_LENGTH
    with RedisCluster.from_url(_addresses()[0]) as client:
        for number in range(_TIMELINES):
            client.zadd(f"measured:{number}", {Entry(uuid4(), number).packed: 0 for _ in range(length)})
    return (_of_masters("memory", "used_memory") - before) / _TIMELINES / length


def _of_masters(section: str, *names: str) -> float:
    from redis import Redis

    total = 0.0
    for address in _addresses():
        with Redis.from_url(address) as node:
            if node.info("replication")["role"] == "master":
                found = node.info(section)
                total += sum(found[name] for name in names)
    return total


def _addresses() -> list[str]:
    return [f"redis://{one}" for one in os.environ["CLUSTER_URL"].removeprefix("redis://").split(",")]


def _sql(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)

"""Activities and timelines by the million, made by the database itself."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection

from django_stream.server.models import Activity, Application, Feed, TimelineEntry

APP = 1
# 2026-01-01 in ticks of an activity key; activities are a second apart.
FIRST_TICK = 0x01B21DD213814000 + 1_767_225_600 * 10_000_000
TICKS = 10_000_000


def series(count: int) -> str:
    """A FROM clause with `n` from 0 to count - 1."""
    if connection.vendor == "postgresql":
        return f"generate_series(0, {count - 1}) AS s(n)"
    return (
        f"(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {count - 1}) "
        "SELECT n FROM s) AS s"
    )


def key(number: str = "n") -> str:
    """The key of activity number n, as an expression."""
    ticks = f"({FIRST_TICK} + CAST({number} AS bigint) * {TICKS})"
    if connection.vendor == "postgresql":
        return f"CAST(lpad(to_hex({ticks}), 15, '0') || '18080' || '800100000000' AS uuid)"
    return f"printf('%015x', {ticks}) || '18080' || '800100000000'"


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def prepare(activities: int) -> None:
    """An empty server with so many activities."""
    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)
    Application.objects.create(id=APP, name="benchmark")
    false = "false" if connection.vendor == "postgresql" else "0"
    run(
        f"INSERT INTO {Activity._meta.db_table} "
        '(application_id, key, actor, verb, object, target, foreign_id, "to", extra, group_names, is_erased) '
        f"SELECT {APP}, {key()}, 'SU:' || (n % 1000), 'commit', 'repository.commit:' || n, '', 'c:' || n, "
        f"'[]', '{{\"message\": \"Answer with the whole page\"}}', '{{}}', {false} FROM {series(activities)}"
    )


def feeds(slug: str, count: int) -> list[int]:
    rows = [Feed(application_id=APP, slug=slug, user_id=str(number)) for number in range(count)]
    Feed.objects.bulk_create(rows, batch_size=2000)
    return [feed.pk for feed in Feed.objects.filter(slug=slug).order_by("pk")]


def timeline(feed: int, activities: int, followed: list[int]) -> None:
    """Fill a timeline as if each activity came from one of the followed feeds in turn."""
    run(
        f"INSERT INTO {TimelineEntry._meta.db_table} (feed, key, via) "
        f"SELECT {feed}, {key()}, {followed[0]} + n % {len(followed)} FROM {series(activities)}"
    )


def analyze() -> None:
    run("ANALYZE")

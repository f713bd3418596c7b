"""A site by the million: authors whose activities follow a power law, made by the database itself."""

from __future__ import annotations

from io import StringIO

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from benchmarks.report.models import TRACKED
from benchmarks.server.data import key, run, series
from django_stream.server.conf import server_settings
from django_stream.server.models import Activity, Feed, Follow, Placement, TimelineEntry

AUTHORS, FOLLOWED = 2000, 1000
# The oldest activities, by authors who said nothing since.
QUIET = 30
# Some fraction below 1 for each number, spread evenly; so the rank of an author is distributed as 1 / rank.
_FRACTION = "(((CAST(n AS bigint) * 618033989) % 1000000007) / 1000000007.0)"
AUTHOR = f"CAST(POWER({AUTHORS}, {_FRACTION}) AS integer)"


def application() -> int:
    return server_settings.own_app_id


def prepare() -> User:
    """Users, and the reader, who follows the busiest of them."""
    User.objects.bulk_create([User(username=f"author{n}") for n in range(AUTHORS + 1)])
    User.objects.bulk_create([User(username=f"quiet{n}") for n in range(FOLLOWED)])
    User.objects.create(username="late reader")
    return User.objects.create(username="reader")


def late_reader() -> User:
    """Who follows as many, all of them quiet."""
    return User.objects.get(username="late reader")


def fill(reader: User, count: int) -> None:
    """So many activities of five models, and the timelines of both readers; in place of what was there."""
    for model in (TimelineEntry, Placement, Activity, Follow, Feed, *TRACKED):
        model._base_manager.all()._raw_delete("default")  # type: ignore[attr-defined]
    first = User.objects.get(username="author0").pk
    quiet = User.objects.get(username="quiet0").pk
    author = f"CASE WHEN n < {QUIET} THEN {quiet} + n ELSE {first} + {AUTHOR} END"
    for number, model in enumerate(TRACKED):
        run(
            f"INSERT INTO {model._meta.db_table} (id, user_id, title, created_at) "
            f"SELECT n + 1, {author}, 'no. ' || n, '2026-01-01 00:00:00' "
            f"FROM {series(count)} WHERE n % {len(TRACKED)} = {number}"
        )
    false = "false" if connection.vendor == "postgresql" else "0"
    labels = " ".join(f"WHEN {n} THEN '{model._meta.label}'" for n, model in enumerate(TRACKED))
    run(
        f"INSERT INTO {Activity._meta.db_table} "
        '(application_id, key, actor, verb, object, target, foreign_id, "to", extra, group_names, is_erased) '
        f"SELECT {application()}, {key()}, 'auth.User:' || ({author}), 'post', "
        f"(CASE n % {len(TRACKED)} {labels} END) || ':' || (n + 1), '', 'c:' || n, '[]', '{{}}', '{{}}', "
        f"{false} FROM {series(count)}"
    )
    feeds = [
        Feed(application_id=application(), slug="user", user_id=str(pk))
        for pk in (*range(first, first + AUTHORS + 1), *range(quiet, quiet + FOLLOWED))
    ]
    Feed.objects.bulk_create(feeds)
    base = Feed.objects.filter(slug="user").order_by("pk").first().pk  # type: ignore[union-attr]
    of_quiet = f"{base + AUTHORS + 1} + n"
    for whose, via, chosen in (
        (reader, f"{base} + {AUTHOR}", f"n >= {QUIET} AND {AUTHOR} <= {FOLLOWED}"),
        (late_reader(), of_quiet, f"n < {QUIET}"),
    ):
        own = Feed.objects.create(application_id=application(), slug="timeline", user_id=str(whose.pk))
        run(
            f"INSERT INTO {TimelineEntry._meta.db_table} (feed, key, via) SELECT {own.pk}, {key()}, {via} "
            f"FROM {series(count)} WHERE {chosen}"
        )
    # The next row that is created has a number of its own.
    reset = call_command("sqlsequencereset", "report", no_color=True, stdout=StringIO(), stderr=StringIO())
    for statement in filter(None, (reset or "").split(";")):
        run(statement)
    run("ANALYZE")

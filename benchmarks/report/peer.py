"""django-activity-stream on the same data, in the environment of its own: `peer.py URL ACTIVITIES`.

It loads the data, says `ready`, and answers each line, `page` or `quiet`, with the seconds of one page of 25
with its instances: of who follows the busiest authors, or of who follows as many that were quiet for long.
"""

from __future__ import annotations

import sys
import time

AUTHORS, FOLLOWED, PAGES = 2000, 1000, 5
# The oldest activities, by authors who said nothing since.
QUIET = 30
_FRACTION = "(((CAST(n AS bigint) * 618033989) % 1000000007) / 1000000007.0)"
_AUTHOR = f"CAST(POWER({AUTHORS}, {_FRACTION}) AS integer)"


def main(url: str, count: int) -> None:
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={"default": database(url)},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sites",
            "actstream",
            "peer_site",
        ],
        ACTSTREAM_SETTINGS={"FETCH_RELATIONS": True},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        SECRET_KEY="benchmarks",
        USE_TZ=True,
        SITE_ID=1,
    )
    django.setup()
    from actstream import registry
    from actstream.models import user_stream
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from peer_site.models import SAID

    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0, run_syncdb=True)
    call_command("flush", verbosity=0, interactive=False)
    registry.register(User, *SAID)
    readers = dict(zip(("page", "quiet"), load(count), strict=True))

    def page(reader: object) -> int:
        rows = list(user_stream(reader)[:25])
        return len([(row.actor, row.action_object) for row in rows])

    assert all(page(reader) == 25 for reader in readers.values())
    print("ready", flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        for _ in range(PAGES):
            page(readers[line.strip()])
        print((time.perf_counter() - started) / PAGES, flush=True)


def database(url: str) -> dict[str, object]:
    if url.startswith("sqlite:///"):
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.removeprefix("sqlite:///")}
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path[1:],
        "USER": parts.username,
        "HOST": parts.hostname,
        "PORT": parts.port,
        "CONN_MAX_AGE": None,
    }


def load(count: int) -> tuple[object, object]:
    """So many actions of five models; returns the reader of the busiest authors and that of quiet ones."""
    from actstream.models import Action
    from django.contrib.auth.models import User
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection
    from peer_site.models import SAID

    User.objects.bulk_create([User(username=f"author{n}") for n in range(AUTHORS + 1)])
    User.objects.bulk_create([User(username=f"quiet{n}") for n in range(FOLLOWED)])
    first = User.objects.get(username="author0").pk
    quiet = User.objects.get(username="quiet0").pk
    moment, numbers = in_sql(connection.vendor, count)
    author = f"CASE WHEN n < {QUIET} THEN {quiet} + n ELSE {first} + {_AUTHOR} END"
    types = [ContentType.objects.get_for_model(model).pk for model in SAID]
    of_type = " ".join(f"WHEN {n} THEN {pk}" for n, pk in enumerate(types))
    yes = "true" if connection.vendor == "postgresql" else "1"
    with connection.cursor() as cursor:
        for number, model in enumerate(SAID):
            cursor.execute(
                f"INSERT INTO {model._meta.db_table} (id, user_id, title, created_at) "
                f"SELECT n + 1, {author}, 'no. ' || n, '2026-01-01 00:00:00' "
                f"FROM {numbers} WHERE n % {len(SAID)} = {number}"
            )
        cursor.execute(
            f"INSERT INTO {Action._meta.db_table} (actor_content_type_id, actor_object_id, verb, "
            "action_object_content_type_id, action_object_object_id, timestamp, public) "
            f"SELECT {ContentType.objects.get_for_model(User).pk}, {author}, 'post', "
            f"CASE n % {len(SAID)} {of_type} END, n + 1, {moment}, {yes} FROM {numbers}"
        )
    readers = follower("reader", first + 1), follower("late reader", quiet)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return readers


def in_sql(vendor: str, count: int) -> tuple[str, str]:
    """When activity no. n was, and the numbers up to the count."""
    if vendor == "postgresql":
        return (
            "timestamptz '2026-01-01' + n * interval '1 second'",
            f"generate_series(0, {count - 1}) AS s(n)",
        )
    return (
        "datetime('2026-01-01', '+' || n || ' seconds')",
        f"(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {count - 1}) "
        "SELECT n FROM s) AS s",
    )


def follower(name: str, first: int) -> object:
    """A new user, who follows so many in a row."""
    from actstream.models import Follow
    from django.contrib.auth.models import User
    from django.contrib.contenttypes.models import ContentType

    reader = User.objects.create(username=name)
    kind = ContentType.objects.get_for_model(User)
    Follow.objects.bulk_create(
        Follow(user=reader, content_type=kind, object_id=str(first + n), actor_only=True)
        for n in range(FOLLOWED)
    )
    return reader


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

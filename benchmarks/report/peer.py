"""django-activity-stream on the same data, in the environment of its own: `peer.py URL ACTIVITIES`.

It loads the data, says `ready`, and answers each line with the seconds of one page of 25 with its instances.
"""

from __future__ import annotations

import sys
import time

AUTHORS, FOLLOWED, PAGES = 2000, 1000, 5
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
    from django.contrib.auth.models import Group, User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("flush", verbosity=0, interactive=False)
    registry.register(User, Group)
    reader = load(count)

    def page() -> int:
        rows = list(user_stream(reader)[:25])
        return len([(row.actor, row.action_object) for row in rows])

    assert page() == 25
    print("ready", flush=True)
    for _ in sys.stdin:
        started = time.perf_counter()
        for _ in range(PAGES):
            page()
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


def load(count: int) -> object:
    from actstream.models import Action, Follow
    from django.contrib.auth.models import Group, User
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection

    User.objects.bulk_create([User(username=f"author{n}") for n in range(AUTHORS + 1)])
    reader = User.objects.create(username="reader")
    first = User.objects.order_by("pk").first().pk
    Group.objects.bulk_create([Group(name=f"object {n}") for n in range(1000)])
    user, group = (ContentType.objects.get_for_model(model) for model in (User, Group))
    thing = Group.objects.order_by("pk").first().pk
    postgres = connection.vendor == "postgresql"
    yes, moment = (
        ("true", "timestamptz '2026-01-01' + n * interval '1 second'")
        if postgres
        else ("1", "datetime('2026-01-01', '+' || n || ' seconds')")
    )
    numbers = (
        f"generate_series(0, {count - 1}) AS s(n)"
        if postgres
        else f"(WITH RECURSIVE s(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM s WHERE n < {count - 1}) "
        "SELECT n FROM s) AS s"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Action._meta.db_table} (actor_content_type_id, actor_object_id, verb, "
            "action_object_content_type_id, action_object_object_id, timestamp, public) "
            f"SELECT {user.pk}, {first} + {_AUTHOR}, 'post', {group.pk}, {thing} + n % 1000, {moment}, {yes} "
            f"FROM {numbers}"
        )
    Follow.objects.bulk_create(
        [
            Follow(user=reader, content_type=user, object_id=str(first + n), actor_only=True)
            for n in range(1, FOLLOWED + 1)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return reader


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

"""A site on MariaDB, as a program: what triggers note there, compared with what publishers would."""

from __future__ import annotations

import os
import sys

import django
from django.conf import settings

from tests.mariadb import stand_in

stand_in()

settings.configure(
    SECRET_KEY="a key that only this program uses, long enough for HS256",
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.mysql",
            "HOST": os.environ.get("MARIADB_HOST", "127.0.0.1"),
            "USER": "root",
            "NAME": sys.argv[1],
            "OPTIONS": {"charset": "utf8mb4"},
        }
    },
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django_stream", "tests.testapp"],
    USE_TZ=True,
    STREAM_CAPTURE="database",
    STREAM_BACKEND="http://127.0.0.1:9",
    STREAM_API_SECRET="a secret that only this program uses, and nobody calls",
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import QuerySet  # noqa: E402
from django.utils import timezone  # noqa: E402

from django_stream.database.triggers import installing  # noqa: E402
from django_stream.database.triggers.noting import KeyColumn, NotedTable  # noqa: E402
from django_stream.models import OutboxEntry  # noqa: E402
from django_stream.publishing import capture  # noqa: E402
from django_stream.publishing.nudge import nudges_held  # noqa: E402
from django_stream.publishing.publisher import publishers_of  # noqa: E402
from tests.testapp.models import (  # noqa: E402
    Article,
    Brand,
    Fan,
    Member,
    Photo,
    Reading,
    Subscription,
    Video,
)


def noted() -> list[str]:
    found = sorted(set(OutboxEntry.objects.values_list("model_label", "object_key")))
    assert not OutboxEntry.objects.filter(due_at__gt=timezone.now()).exists()
    OutboxEntry.objects.all().delete()
    return [f"{label}:{key}" for label, key in found]


def check(rows: list[object]) -> None:
    expected = sorted(
        f"{publisher.label}:{key}"
        for row in rows
        for publisher in publishers_of(type(row))
        for key in publisher.keys_of(row)
    )
    assert noted() == expected, expected


held = nudges_held()  # what is noted stays to be looked at
held.__enter__()
call_command("migrate", verbosity=0)
call_command("stream_triggers", "check")
ada, grace = (User.objects.create(username=name) for name in ('a"\\é😀\t', "grace"))
brand = Brand.objects.create(code="c/é")
noted()

article = Article(author=ada, title="a")
QuerySet(Article).bulk_create([article])
article.pk = Article.objects.get().pk
rows: list[object] = [article]
for row in (
    Photo(owner=ada),
    Reading(reader=ada, article=article),
    Fan(follower=ada, followed=brand),
    Member(email="é", name="A"),
):
    QuerySet(type(row)).bulk_create([row])
    rows.append(row)
check(rows)

QuerySet(Article).update(title="b")
check([article])
QuerySet(Article).update(title="b")
assert noted() == []

follow = Subscription.objects.create(reader=ada, writer=grace)
noted()
QuerySet(Subscription).update(writer=ada)
assert noted() == [f'testapp.Subscription#follow:["{ada.pk}","{pk}"]' for pk in sorted([ada.pk, grace.pk])]

video = Video.objects.create(user=ada)
noted()
with connection.cursor() as cursor:
    cursor.execute("UPDATE testapp_media SET user_id = %s", [grace.pk])
assert noted() == [f"testapp.Media:{video.pk}", f"testapp.Video:{video.pk}"]

for row in rows[1:]:
    QuerySet(type(row)).filter(pk=row.pk)._raw_delete("default")  # type: ignore[attr-defined] # noqa: SLF001
check(rows[1:])
call_command("stream_triggers", "remove")

NAMES = [
    "a.b",
    "OLD.x",
    "r",
    "order",
    "with space",
    "percent%s",
    "it's",
    'quotation"mark',
    "Größe",
    "back``tick",
]


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def check_names(name: str, key: str, watched: str) -> None:
    """Whatever a table and its columns are called."""
    table, number, text = map(connection.ops.quote_name, (name, key, watched))
    execute(f"CREATE TABLE {table} ({number} bigint PRIMARY KEY, {text} varchar(9), other varchar(9))")
    columns = (KeyColumn(key, "number"),)
    noted_table = NotedTable(name, columns, watched=(watched,))
    wanted = installing.difference([(noted_table, capture._note("odd.Table"))], "default")  # noqa: SLF001
    installing.apply(wanted, "default")
    for statement, keys in (
        (f"INSERT INTO {table} VALUES (1, 'a', 'b')", ["odd.Table:1"]),
        (f"UPDATE {table} SET {text} = 'c'", ["odd.Table:1"]),
        (f"UPDATE {table} SET {text} = 'c', other = 'c'", []),
        (f"DELETE FROM {table}", ["odd.Table:1"]),
    ):
        execute(statement)
        assert (found := noted()) == keys, (name, key, watched, found)
    execute(f"DROP TABLE {table}")


for one in NAMES:
    check_names(one, "a", "b")
    check_names("plain", one, "b")
    check_names("plain", "a", one)
print("as expected")

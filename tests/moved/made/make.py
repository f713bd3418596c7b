"""Makes the databases of this folder, by the packages themselves:

    python make.py actstream|notifications

in an environment that has the package, a Django it runs on (4.2 for django-notifications-hq) and psycopg,
with an empty PostgreSQL database in DATABASE. What comes out are the statements that make the tables, for
each kind of database, the rows, and what the package shows of them.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django
from django.conf import settings

PACKAGE = sys.argv[1]
HERE = Path(__file__).parent
BEGIN = datetime(2021, 1, 1, tzinfo=UTC)

settings.configure(
    SECRET_KEY="made",
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
        "postgresql": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": "127.0.0.1",
            "USER": "postgres",
            "NAME": os.environ.get("DATABASE", "made"),
        },
    },
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", PACKAGE],
    ACTSTREAM_SETTINGS={"USE_JSONFIELD": True},
    DJANGO_NOTIFICATIONS_CONFIG={"USE_JSONFIELD": True, "SOFT_DELETE": True},
    SITE_ID=1,
)
django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402


def statements_of_sqlite(tables: list[str]) -> list[str]:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT tbl_name, sql FROM sqlite_master WHERE sql <> '' ORDER BY type = 'index'")
        return [sql for table, sql in cursor.fetchall() if table in tables]


def statements_of_postgresql(tables: list[str]) -> list[str]:
    call_command("migrate", database="postgresql", verbosity=0)
    where = settings.DATABASES["postgresql"]
    chosen = [f"--table=public.{table}" for table in tables]
    command = ["pg_dump", "-U", where["USER"], "-h", where["HOST"], "--schema-only", "-O", "-x", *chosen]
    dump = subprocess.run([*command, where["NAME"]], check=True, capture_output=True, text=True).stdout
    lines = [line for line in dump.splitlines() if not line.startswith(("--", "SET ", "SELECT ", "\\"))]
    return [part.strip() for part in "\n".join(lines).split(";\n") if part.strip()]


def rows(model: type) -> list[dict]:
    return list(model.objects.order_by("pk").values())


def as_stored(value: datetime) -> str:
    return str(value.astimezone(UTC).replace(tzinfo=None))


def made_by_actstream() -> tuple[dict, dict]:
    from actstream import action, registry
    from actstream.actions import follow
    from actstream.models import (
        Action,
        Follow,
        action_object_stream,
        actor_stream,
        model_stream,
        target_stream,
        user_stream,
    )

    registry.register(User, Group)
    chance = random.Random(1)
    users = [User.objects.create(username=f"user{index}") for index in range(40)]
    clubs = [Group.objects.create(name=f"club{index}") for index in range(10)]
    for user in users:
        for other in chance.sample(users, 6):
            if other != user:
                follow(user, other, send_action=False, flag=chance.choice(["", "watching"]))
        follow(user, chance.choice(clubs), send_action=False, actor_only=chance.random() < 0.5)
    for user in users[:8]:  # the same pair twice, by another flag
        follow(user, users[20], send_action=False, flag="liking")
        follow(user, users[20], send_action=False, flag="watching")
    for number in range(10_000):
        actor = chance.choice(clubs) if number % 50 == 0 else users[int(chance.triangular(0, 39, 5))]
        optional = {}
        if chance.random() < 0.7:
            optional["action_object"] = chance.choice(users + clubs)
        if chance.random() < 0.4:
            optional["target"] = chance.choice(clubs)
        if number % 10 == 0:
            optional["description"] = f"told {number}"
        if number % 25 == 0:
            optional["number"] = number
        action.send(
            actor,
            verb=chance.choice(["joined", "commented on", "liked"]),
            timestamp=BEGIN + timedelta(seconds=number, microseconds=number),
            public=number % 40 != 7,
            **optional,
        )
    gone = User.objects.create(username="gone")
    action.send(gone, verb="left", timestamp=BEGIN)
    follow(users[0], gone, send_action=False)
    # By SQL, as in sites whose references dangle.
    with connections["default"].cursor() as cursor:
        cursor.execute("DELETE FROM auth_user WHERE id = %s", [gone.pk])

    def ids(stream: object) -> list[int]:
        return list(stream.values_list("pk", flat=True))  # type: ignore[attr-defined]

    shown = {
        "user": {user.pk: ids(user_stream(user)) for user in users},
        "actor": {user.pk: ids(actor_stream(user)) for user in users},
        "club_actor": {club.pk: ids(actor_stream(club)) for club in clubs},
        "target": {club.pk: ids(target_stream(club)) for club in clubs},
        "action_object": {club.pk: ids(action_object_stream(club)) for club in clubs},
        "model": {"auth-group": ids(model_stream(Group)), "auth-user": ids(model_stream(User))},
    }
    return {"actstream_action": rows(Action), "actstream_follow": rows(Follow)}, shown


def made_by_notifications() -> tuple[dict, dict]:
    from notifications.models import Notification
    from notifications.signals import notify

    chance = random.Random(2)
    users = [User.objects.create(username=f"user{index}") for index in range(20)]
    club = Group.objects.create(name="club")
    for number in range(5_000):
        actor, recipient = chance.sample(users, 2)
        optional = {"action_object": club} if number % 3 else {}
        if number % 5 == 0:
            optional |= {"description": f"told {number}", "number": number}
        notify.send(
            actor,
            recipient=recipient,
            verb=chance.choice(["replied to", "mentioned you in"]),
            target=club if number % 4 == 0 else None,
            level=chance.choice(["info", "warning"]),
            timestamp=BEGIN + timedelta(minutes=number),
            **optional,
        )
    Notification.objects.filter(pk__in=chance.sample(range(1, 5001), 1666)).update(unread=False)
    Notification.objects.filter(pk__in=chance.sample(range(1, 5001), 50)).update(deleted=True)
    shown = {
        user.pk: {
            "unread": Notification.objects.filter(recipient=user).unread().count(),
            "active": list(Notification.objects.filter(recipient=user).active().values_list("pk", flat=True)),
            "read": list(Notification.objects.filter(recipient=user).read().values_list("pk", flat=True)),
        }
        for user in users
    }
    return {"notifications_notification": rows(Notification)}, shown


if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    tables, shown = {"actstream": made_by_actstream, "notifications": made_by_notifications}[PACKAGE]()
    names = list(tables)
    ddl = {"sqlite": statements_of_sqlite(names), "postgresql": statements_of_postgresql(names)}
    made = {
        "statements": ddl,
        "users": list(User.objects.values("id", "username")),
        "groups": list(Group.objects.values("id", "name")),
        "types": {one.pk: [one.app_label, one.model] for one in ContentType.objects.all()},
        "tables": {
            name: {"columns": list(found[0]), "rows": [list(one.values()) for one in found]}
            for name, found in tables.items()
        },
        "shown": shown,
    }
    text = json.dumps(made, default=as_stored, separators=(",", ":"))
    with gzip.GzipFile(HERE / f"{PACKAGE}.json.gz", "wb", mtime=0) as file:
        file.write(text.encode())

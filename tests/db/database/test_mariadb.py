"""MariaDB gives the server what its migrations cannot: exact texts, unique rows, whole JSON, turns.

With DATABASE_URL at MariaDB, as `make test-mariadb` has it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import DataError, IntegrityError, connection, connections, transaction
from django.db.utils import NotSupportedError
from django.utils import timezone

from django_stream.database.bulk_sql import insert_missing
from django_stream.database.conditions import equal, one_of
from django_stream.database.mariadb import EXACT, TURNS, MariaDB
from django_stream.database.mariadb_tables import lacking
from django_stream.database.statements import Database
from django_stream.server.models import (
    Activity,
    Application,
    CollectionEntry,
    Feed,
    Follow,
    StoredFile,
    StreamEvent,
    TimelineEntry,
)

pytestmark = pytest.mark.django_db(transaction=True)
SERVER = apps.get_app_config("django_stream_server")


@pytest.fixture(autouse=True)
def _on_mariadb() -> None:
    if connection.vendor != "mysql":
        pytest.skip("DATABASE_URL is not MariaDB's")


@pytest.fixture
def application() -> Application:
    return Application.objects.create(name="exact")


@pytest.fixture
def prepared_again() -> Iterator[None]:
    yield
    call_command("migrate", verbosity=0)


def missing() -> list[str]:
    return list(lacking(list(SERVER.get_models()), "default", takes_turns=True))


def found_by(check: str) -> list[str]:
    from django.core.checks import run_checks

    return [one.hint or "" for one in run_checks(databases=["default"]) if one.id == check]


def test_texts_are_the_same_only_if_they_are(application: Application) -> None:
    """By default `a`, `A`, `á` and `a ` are one text there, and all characters above U+FFFF another."""
    names = ["a", "A", "á", "a ", "\U0001f600", "\U0001f601", "ss", "ß"]
    for name in names:
        Feed.objects.create(application=application, slug="user", user_id=name)
    database = Database("default")
    for name in names:
        for chosen in (equal("user_id", name), one_of("user_id", [name])):
            assert database.select(Feed, ["user_id"], chosen) == [(name,)]
    assert missing() == []


def test_keys_are_read_in_the_order_of_their_digits() -> None:
    """The database's own UUIDs are not, where the digit of the version says so."""
    times = range(0x1E8, 0x1E8 << 46, 0x1E8 << 41)
    keys = sorted(uuid.UUID(f"{time:015x}0808080013c2569b2") for time in times)
    TimelineEntry.objects.bulk_create(TimelineEntry(feed=1, key=key, via=0) for key in reversed(keys))
    assert list(TimelineEntry.objects.order_by("key").values_list("key", flat=True)) == keys
    assert TimelineEntry.objects.filter(key__gt=keys[7]).count() == len(keys) - 8


def test_unique_constraints_with_a_condition_hold(application: Application) -> None:
    one, other = (Feed.objects.create(application=application, slug="a", user_id=name) for name in "ab")
    pair = {"source": one, "target": other, "since_seq": 0}
    for closed in (1, 2, None):
        Follow.objects.create(**pair, until_seq=closed)
    image = {"application": application, "name": "x", "content_type": "image/png", "size": 1}
    for key in "ab":
        StoredFile.objects.create(key=key, **image)
    StoredFile.objects.create(key="c", source="a", variant="5", **image)
    event = {"application": 1, "kind": "a", "object_id": "1", "op": "x", "data": ""}
    for place in (None, None, 1):
        StreamEvent.objects.create(position=place, created_at=timezone.now(), **event)
    for refused in (
        lambda: Follow.objects.create(**pair),
        lambda: StoredFile.objects.create(key="d", source="a", variant="5", **image),
        lambda: StreamEvent.objects.create(position=1, created_at=timezone.now(), **event),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            refused()


def test_an_insert_that_skips_what_is_there_hides_nothing_else(application: Application) -> None:
    known = {"actor": "a", "verb": "v", "object": "o", "key": uuid.uuid4()}
    new = Activity(application=application, **known)
    assert len(insert_missing([new], "key", "default")) == 1
    assert insert_missing([new], "key", "default") == []
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_missing([Activity(application_id=7, **known)], "key", "default")
    too_long = Activity(application=application, **known | {"key": uuid.uuid4(), "verb": "v" * 256})
    with pytest.raises((IntegrityError, DataError)), transaction.atomic():
        insert_missing([too_long], "key", "default")
    assert Activity.objects.count() == 1


def test_tables_of_an_earlier_time_are_mended_by_migrate_and_found_by_a_check(prepared_again: None) -> None:
    """As a table is that a later migration makes, or one that was killed before the end."""
    entries = CollectionEntry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {entries} CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        cursor.execute(f"ALTER TABLE {entries} MODIFY data longtext NOT NULL CHECK (json_valid(data))")
        cursor.execute(f"ALTER TABLE {StreamEvent._meta.db_table} DROP INDEX dss_stream_event_place")
        cursor.execute(f"ALTER TABLE {StreamEvent._meta.db_table} DROP COLUMN dss_stream_event_place_if")
        cursor.execute(f"DELETE FROM {TURNS} WHERE number > 5")
        cursor.execute(f"ALTER TABLE {TURNS} DROP COLUMN taken")
    assert len(missing()) == 5
    assert "migrate" in found_by("django_stream.W120")[0]
    with pytest.raises(NotSupportedError, match="migrate"), transaction.atomic():
        MariaDB(connection).turn("groups of a feed", 7)
    call_command("migrate", verbosity=0)
    assert missing() == []
    assert found_by("django_stream.W120") == []
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW FULL COLUMNS FROM {entries} LIKE 'collection'")
        assert cursor.fetchone()[2] == EXACT


def virtual_columns() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns "
            "WHERE table_schema = DATABASE() AND extra LIKE 'VIRTUAL%'"
        )
        return [name for (name,) in cursor.fetchall()]


def test_no_purge_has_to_open_our_tables(prepared_again: None) -> None:
    """As it has to where a virtual column has an index, and may try for ever."""
    assert virtual_columns() == []
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE {Follow._meta.db_table} "
            "DROP INDEX dss_follow_once, DROP COLUMN dss_follow_once_if, "
            "ADD COLUMN dss_follow_once_if tinyint AS (CASE WHEN until_seq IS NULL THEN 1 END) VIRTUAL, "
            "ADD UNIQUE dss_follow_once (source_id, target_id, dss_follow_once_if)"
        )
    assert len(missing()) == len(virtual_columns()) == 1
    call_command("migrate", verbosity=0)
    assert missing() == virtual_columns() == []


def test_an_isolation_in_which_a_lock_shows_nothing_new_is_an_error(monkeypatch: Any) -> None:
    assert found_by("django_stream.E120") == []
    for level in ("repeatable read", None):
        monkeypatch.setitem(connection.settings_dict, "OPTIONS", {"isolation_level": level})
        assert len(found_by("django_stream.E120")) == 1


def test_an_older_server_and_mysql_itself_are_refused_by_name(monkeypatch: Any) -> None:
    for name, value in (("mysql_is_mariadb", False), ("mysql_version", (10, 5))):
        with monkeypatch.context() as patched:
            patched.setitem(vars(connections["default"]), name, value)
            assert "10.6" in found_by("django_stream.E121")[0]
            with pytest.raises(NotSupportedError, match="from 10.6 on"):
                Database("default").dialect.given({"feed": "bigint"}, [[1]])

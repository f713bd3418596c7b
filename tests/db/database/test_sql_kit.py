"""The SQL kit on the database in use: what it takes from Django without documentation, and what it promises.

Run on every supported Django: `ops.quote_name` and `features.has_select_for_update` are no public API.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from django.db import NotSupportedError, connection, transaction
from django.test.utils import CaptureQueriesContext

from django_stream.database.bulk_sql import Upsert, among, insert_copies, update_rows, upsert_copies
from django_stream.database.conditions import (
    equal,
    has_rows,
    in_list,
    in_query,
    is_false,
    is_null,
    one_of,
    rows_among,
    time_text,
    union,
    uuid_text,
)
from django_stream.database.dialect import Dialect, Fragment
from django_stream.database.statements import Database
from django_stream.database.vendors import dialect_of
from django_stream.models import OutboxEntry, Publication
from django_stream.server.models import (
    Activity,
    ActivityGroup,
    Application,
    CollectionEntry,
    Feed,
    ReactionCount,
)

pytestmark = pytest.mark.django_db
MOMENT = datetime(2026, 1, 31, 12, 0, 0, 120_000, tzinfo=UTC)
NAME = {"slug": "text", "user_id": "text"}
PUBLICATION = Publication(model_label="x.Y")


@pytest.fixture
def database() -> Database:
    return Database("default")


@pytest.fixture
def application() -> Application:
    return Application.objects.create(name="kit")


def feeds(application: Application, *names: str) -> list[int]:
    return [Feed.objects.create(application=application, slug="user", user_id=name).pk for name in names]


def names_of(database: Database, *conditions: object, source: object = Feed) -> list[str]:
    return sorted(name for (name,) in database.select(source, ["user_id"], *conditions))


def test_names_are_quoted_so_that_words_of_sql_may_be_columns(database, application):
    Activity.objects.create(
        application=application, key=uuid.uuid4(), actor="a", verb="v", object="o", to=["b:1"]
    )
    assert database.select(Activity, ["to"], equal("application_id", application.pk)) == [('["b:1"]',)]
    assert database.select(Activity, ["a.to"], equal("a.verb", "v"), alias="a") == [('["b:1"]',)]


def test_conditions_hold_together_and_values_stay_values(database, application):
    first, second, _ = feeds(application, "a", "b' OR 1=1 --", "c")
    slug = equal("slug", "user")
    assert names_of(database, slug, in_list("id", [first, second])) == ["a", "b' OR 1=1 --"]
    assert names_of(database, slug, one_of("user_id", ["b' OR 1=1 --", "c"])) == ["b' OR 1=1 --", "c"]
    assert names_of(database, slug, one_of("user_id", [])) == []
    assert names_of(database, rows_among(NAME, [("user", "a"), ("timeline", "c")])) == ["a"]
    assert names_of(database, slug, Fragment("id > %s", [first]), equal("user_id", "c")) == ["c"]
    some = [database.query(Feed, ["id"], equal("user_id", name)) for name in "ac"]
    assert names_of(database, in_query("id", union(*some))) == ["a", "c"]
    assert database.exists(Feed, equal("user_id", "a"))
    assert not database.exists(Feed, equal("user_id", "d"))


@pytest.mark.parametrize("form", [uuid.UUID, str, lambda digits: digits], ids=["uuid", "text", "digits"])
def test_uuids_are_found_in_every_form(database, application, form):
    key = uuid.uuid4()
    ReactionCount.objects.create(application=application, activity=key, kind="like", count=3)
    given = key if form is uuid.UUID else form(str(key) if form is str else key.hex)
    found = database.select(
        ReactionCount, ["count", uuid_text("activity")], one_of("activity", [given], uuids=True)
    )
    assert [(count, uuid.UUID(text)) for count, text in found] == [(3, key)]
    assert database.select(ReactionCount, ["count"], equal("activity", key)) == [(3,)]
    assert database.select(ReactionCount, ["count"], in_list("activity", [key])) == [(3,)]


def test_times_come_as_text(database, application):
    CollectionEntry.objects.create(
        application=application, collection="food", entry_id="1", data={}, created_at=MOMENT
    )
    [(text,)] = database.select(CollectionEntry, [time_text("created_at")], equal("entry_id", "1"))
    assert text.startswith("2026-01-31 12:00:00.12")
    assert text.endswith("+00")
    assert database.select(CollectionEntry, ["entry_id"], equal("created_at", MOMENT)) == [("1",)]


def test_one_text_serves_any_number_of_values(database, application):
    feeds(application, "a", "b")
    with CaptureQueriesContext(connection):
        texts = {database.query(Feed, ["id"], one_of("id", range(many))).text for many in (1, 10)}
        pairs = {
            database.query(Feed, ["id"], rows_among(NAME, [("user", "a")] * many)).text for many in (1, 10)
        }
    assert (len(texts), len(pairs)) == (1, 1)


def test_counters_begin_at_nothing_and_are_added_to(database, application):
    key = {"application_id": application.pk, "activity": uuid.uuid4(), "kind": "like"}
    for step in (1, 5, -2):
        database.add_to_counter(ReactionCount, key, "count", step)
    assert ReactionCount.objects.get(**key).count == 4


def test_rows_are_locked_updated_and_deleted(database):
    moments = {"created_at": MOMENT, "updated_at": MOMENT}
    for name, seen in (("a", True), ("b", False)):
        ActivityGroup.objects.create(feed=7, name=name, is_seen=seen, **moments)
    waiting = [equal("feed", 7), is_false("is_seen")]
    with transaction.atomic(), CaptureQueriesContext(connection) as captured:
        database.locked(ActivityGroup, ["id"], ["name", "feed"], *waiting)
    assert any("FOR UPDATE" in query["sql"] for query in captured) == (connection.vendor == "postgresql")
    assert database.update(ActivityGroup, {"is_seen": True, "updated_at": MOMENT}, *waiting) == 1
    assert database.delete(ActivityGroup, equal("feed", 7), is_null("newest")) == 2


def test_a_column_may_tell_whether_other_rows_exist(database, application):
    feeds(application, "a")
    other = Application.objects.create(name="other")
    found = database.select(
        Application,
        ["a.name", has_rows(Feed, "application_id", "a.id")],
        in_list("a.id", [application.pk, other.pk]),
        alias="a",
    )
    assert {name: bool(has) for name, has in found} == {"kit": True, "other": False}


def test_copies_are_inserted_once_changed_if_free_and_answered(database):
    insert_copies(PUBLICATION, "object_key", ["a", "b"], "default")
    insert_copies(PUBLICATION, "object_key", ["b", "c"], "default", ignore_conflicts=True)
    insert_copies(PUBLICATION, "object_key", ["c"], "default", ignore_conflicts=True)
    Publication.objects.filter(object_key="b").update(leased_until=MOMENT, records=[["user:1"]])
    lease = Publication(model_label="x.Y", attempts=1, leased_until=MOMENT)

    def take(now: datetime) -> list[tuple[object, ...]]:
        unique = ("object_key", "model_label")
        upsert = Upsert(unique, add=["attempts"], replace=["leased_until"], free=("leased_until", now))
        returning = ["object_key", "records", "attempts"]
        return sorted(
            upsert_copies(lease, "object_key", ["b", "c", "d"], "default", upsert=upsert, returning=returning)
        )

    assert take(MOMENT) == [("c", [], 1), ("d", [], 1)]
    assert take(MOMENT.replace(hour=13)) == [("b", [["user:1"]], 1), ("c", [], 2), ("d", [], 2)]
    assert Publication.objects.count() == 4


@pytest.mark.parametrize("short", [True, False], ids=["short", "standard"])
def test_many_rows_are_found_and_updated(monkeypatch, short):
    if not short:
        for name in ("among", "rows_of", "records_of"):
            monkeypatch.setattr(type(dialect_of(connection)), name, getattr(Dialect, name))
    insert_copies(OutboxEntry(model_label="x.Y"), "object_key", ["a", "b", "c"], "default")
    rows = OutboxEntry.objects.filter(among("object_key", ["a", "c", "z"], "default"), model_label="x.Y")
    keys = dict(rows.values_list("object_key", "pk"))
    assert sorted(keys) == ["a", "c"]
    update_rows(
        OutboxEntry, ("due_at", "reason"), [(pk, MOMENT, key * 2) for key, pk in keys.items()], "default"
    )
    assert set(OutboxEntry.objects.filter(due_at=MOMENT).values_list("reason", flat=True)) == {"aa", "cc"}
    assert rows.filter(among("pk", keys.values(), "default")).delete()[0] == 2


def test_standard_sql_means_the_same(application):
    """What other databases get, run on this one."""
    feeds(application, "a", "b")
    dialect = Dialect(connection)
    names = dialect.one_of("user_id", ["a", "b"])
    with connection.cursor() as cursor:
        table = dialect.table(Feed)
        cursor.execute(f"SELECT user_id FROM {table} WHERE {names.text} ORDER BY 1", names.params)
        assert cursor.fetchall() == [("a",), ("b",)]
    with pytest.raises(NotSupportedError, match="needs PostgreSQL, SQLite or MariaDB"):
        dialect.json_text("group_names", "user")

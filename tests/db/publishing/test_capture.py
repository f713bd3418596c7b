"""Triggers note what signals do not see, and nothing twice."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import Tags, run_checks
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, models, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, example, given
from hypothesis import settings as run_settings
from hypothesis import strategies as st

from django_stream import feeds
from django_stream.activities.checks.capture import check_capture
from django_stream.activities.publishers.noted_tables import NoCapture, pair_table, row_tables
from django_stream.database.bulk_sql import conflicts_on
from django_stream.database.triggers.installing import installed_names
from django_stream.database.triggers.noting import KeyColumn, NotedTable
from django_stream.models import OutboxEntry
from django_stream.publishing import capture
from django_stream.publishing.listening import drain_until
from django_stream.publishing.publisher import publishers_of
from django_stream.publishing.report import DrainReport
from django_stream.tracking import republish
from tests.testapp.models import (
    Album,
    Article,
    Badge,
    Brand,
    Club,
    Fan,
    Media,
    Member,
    Opinion,
    Photo,
    Plain,
    Reading,
    Subscription,
    Video,
)

pytestmark = [pytest.mark.django_db, pytest.mark.tables]
SQL = models.QuerySet  # its bulk operations send no signals, and none of ours sees them


@pytest.fixture(autouse=True)
def _captured(settings: Any) -> None:
    settings.STREAM_CAPTURE = "database"
    capture.reconcile(connection.alias)


def noted(label: str | None = None) -> list[str]:
    entries = OutboxEntry.objects.order_by("id").values_list("model_label", "object_key")
    return [key if label else f"{name}:{key}" for name, key in entries if label in (None, name)]


def forget() -> None:
    OutboxEntry.objects.all().delete()


@pytest.fixture
def article(ada: User) -> Article:
    created = Article.objects.create(author=ada, title="one")
    forget()
    return created


def execute(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def rows_of_all_kinds(ada: User, grace: User) -> list[models.Model]:
    (article,) = SQL(Article).bulk_create([Article(author=ada, title="a")])
    brand = Brand.objects.create(code='it"s/é')
    return [
        article,
        *SQL(Photo).bulk_create([Photo(owner=ada)]),
        *SQL(Reading).bulk_create([Reading(reader=ada, article=article)]),
        *SQL(Subscription).bulk_create([Subscription(reader=ada, writer=grace)]),
        *SQL(Fan).bulk_create([Fan(follower=ada, followed=brand)]),
        *SQL(Member).bulk_create([Member(email="a@b.c", name="A")]),
        *SQL(Album).bulk_create([Album(owner=ada, title="a")]),
        *SQL(Opinion).bulk_create([Opinion(user=ada, article=article, text="a")]),
        *SQL(Badge).bulk_create([Badge(user=ada, group_id=1)]),
    ]


@pytest.fixture
def _group() -> None:
    from django.contrib.auth.models import Group

    Group.objects.create(pk=1, name="group")


@pytest.mark.usefixtures("_group")
def test_triggers_name_rows_as_publishers_do(ada: User, grace: User) -> None:
    rows = rows_of_all_kinds(ada, grace)
    expected = sorted(
        f"{publisher.label}:{key}"
        for row in rows
        for publisher in publishers_of(type(row))
        for key in publisher.keys_of(row)
    )
    assert sorted(noted()) == expected

    forget()
    for row in reversed(rows):
        SQL(type(row)).filter(pk=row.pk)._raw_delete(connection.alias)  # noqa: SLF001
    assert sorted(noted()) == expected


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40)


@given(texts)
@example('"\\/\x01\x1f\x7f\u2028é😀\t\n')
@run_settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_is_a_key(text: str) -> None:
    with transaction.atomic():
        user = User.objects.create(username=text)
        SQL(Member).bulk_create([Member(email=text)])
        SQL(Fan).bulk_create([Fan(follower=user, followed=Brand.objects.create(code=text[:20]))])
        (fan,) = Fan.objects.all()
        (publisher,) = publishers_of(Fan)
        assert noted("testapp.Member#user") == [text]
        assert noted(publisher.label) == publisher.keys_of(fan)
        transaction.set_rollback(True)


def test_a_key_that_the_outbox_cannot_hold_breaks_nothing() -> None:
    if connection.vendor == "postgresql":  # SQLite's columns hold more than they say
        execute("ALTER TABLE testapp_member ALTER COLUMN email TYPE text")
    if connection.vendor == "mysql":
        pytest.skip("no column of a key is longer than the outbox's there")
    SQL(Member).bulk_create([Member(email="é" * 255), Member(email="é" * 256)])
    assert noted() == ["testapp.Member#user:" + "é" * 255]


WAYS: dict[str, tuple[Callable[[Article], object], bool]] = {
    "a watched column": (lambda row: execute("UPDATE testapp_article SET title = 'x'"), True),
    "a watched column, to what it is": (
        lambda row: execute("UPDATE testapp_article SET title = title"),
        False,
    ),
    "an upsert": (
        lambda row: SQL(Article).bulk_create(
            [Article(pk=row.pk, author=row.author, title="y")],
            update_fields=["title"],
            **conflicts_on(["id"], connection.alias),
        ),
        True,
    ),
    "a deletion": (lambda row: execute("DELETE FROM testapp_article WHERE id = %s", row.pk), True),
    "no row": (lambda row: execute("UPDATE testapp_article SET title = 'x' WHERE id < 0"), False),
}


@pytest.mark.parametrize("way", WAYS)
def test_statements_of_others_are_noted(way: str, article: Article) -> None:
    change, matters = WAYS[way]
    change(article)
    assert set(noted("testapp.Article")) == ({str(article.pk)} if matters else set())


def test_only_columns_that_matter_do(ada: User) -> None:
    (album,) = SQL(Album).bulk_create([Album(owner=ada, title="a")])
    forget()
    SQL(Album).update(title="b")
    assert noted() == [f"testapp.Album#collection:{album.pk}"]
    forget()
    SQL(Album).update(owner=User.objects.create(username="c"))
    assert noted() == [f"testapp.Album:{album.pk}"]


def test_a_key_that_changes_is_noted_before_and_after() -> None:
    SQL(Member).bulk_create([Member(email="old", name="A")])
    forget()
    SQL(Member).update(email="new")
    assert sorted(noted()) == ["testapp.Member#user:new", "testapp.Member#user:old"]


def test_two_rows_that_exchange_their_keys_are_both_noted() -> None:
    SQL(Member).bulk_create([Member(email="a", name="A"), Member(email="b", name="B")])
    forget()
    for email, name in (("a", "B"), ("b", "A")):
        SQL(Member).filter(email=email).update(name=name)
    assert sorted(noted("testapp.Member#user")) == ["a", "b"]


def test_many_rows_of_one_statement_are_a_bulk_operation_where_the_database_tells(ada: User) -> None:
    SQL(Article).bulk_create([Article(author=ada, title=str(n)) for n in range(3)])
    forget()
    SQL(Article).update(title="same")
    assert len(noted("testapp.Article")) == 3
    assert OutboxEntry.objects.filter(bulk=True).count() == (3 if connection.vendor == "postgresql" else 0)
    forget()
    SQL(Article).filter(pk=Article.objects.first().pk).update(title="one")
    assert not OutboxEntry.objects.get().bulk


def test_relations_belong_to_the_row(article: Article, ada: User) -> None:
    through = Article.mentioned.through
    SQL(through).bulk_create([through(article=article, user=ada)])
    SQL(through).filter(article=article)._raw_delete(connection.alias)  # noqa: SLF001
    assert noted() == [f"testapp.Article:{article.pk}"] * 2


def test_pairs_of_a_field_are_noted(ada: User) -> None:
    club = Club.objects.create(name="a")
    through = Club.watched.through
    SQL(through).bulk_create([through(club=club, user=ada)])
    assert noted("testapp.Club_watched#follow") == [f'["{club.pk}","{ada.pk}"]']


def test_columns_of_a_parent_belong_to_the_child(ada: User) -> None:
    video = Video.objects.create(user=ada)
    plain = Media.objects.create(user=ada)
    forget()
    SQL(Media).update(created_at="2026-01-31T12:00:00+00:00")
    assert sorted(noted()) == sorted(
        [f"testapp.Media:{plain.pk}", f"testapp.Media:{video.pk}", f"testapp.Video:{video.pk}"]
    )


def test_a_parent_that_is_a_child_no_longer_is_noted(ada: User) -> None:
    video = Video.objects.create(user=ada)
    forget()
    execute("DELETE FROM testapp_video WHERE media_ptr_id = %s", video.pk)
    assert sorted(noted()) == [f"testapp.Media:{video.pk}", f"testapp.Video:{video.pk}"]


def test_a_rolled_back_change_is_not_noted(ada: User) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        SQL(Article).bulk_create([Article(author=ada, title="one")])
        execute("INSERT INTO testapp_article (id) VALUES (NULL)")
    assert noted() == []


# Beside the signals.


def test_what_the_models_do_is_noted_once(ada: User, article: Article) -> None:
    article.title = "two"
    article.save()
    assert noted() == [f"testapp.Article:{article.pk}"]
    forget()
    Article.objects.update(title="three")
    assert noted() == [f"testapp.Article:{article.pk}"]
    forget()
    article.mentioned.set([ada])
    pk = article.pk
    article.delete()
    assert set(noted()) == {f"testapp.Article:{pk}"}


def test_a_save_costs_no_query_of_ours(ada: User, grace: User) -> None:
    def queries(row: models.Model) -> int:
        # Outside of a transaction, a save that is noted opens one.
        with transaction.atomic():
            row.save()
            with CaptureQueriesContext(connection) as seen:
                row.save()
        return len(seen)

    assert queries(Article(author=ada, title="a")) == queries(Plain(title="a"))
    follow = Subscription(reader=ada, writer=grace)
    assert queries(follow) == queries(Plain(title="a"))


def test_where_triggers_are_missing_signals_do_it(ada: User, settings: Any) -> None:
    capture.remove(connection.alias)
    Article.objects.create(author=ada, title="one")
    assert len(noted()) == 1
    capture.reconcile(connection.alias)
    Article.objects.create(author=ada, title="two")
    assert len(noted()) == 2


def test_republish_writes_what_no_trigger_does(article: Article) -> None:
    assert republish(Article.objects.all()) == 1
    assert republish(article) == 1
    assert noted() == [f"testapp.Article:{article.pk}"] * 2


def test_a_model_may_stay_with_signals(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    (publisher,) = publishers_of(Article)
    monkeypatch.setattr(publisher, "capture", "signals")
    capture.reconcile(connection.alias)
    SQL(Article).bulk_create([Article(author=ada, title="unseen")])
    assert noted() == []
    Article.objects.create(author=ada, title="seen")
    assert len(noted()) == 1


# Keeping them in place.


def triggers(*arguments: str) -> str:
    out = StringIO()
    call_command("stream_triggers", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_installs_compares_and_removes() -> None:
    assert "0 missing, 0 stale" in triggers("check")
    assert "DROP" in triggers("remove", "--dry-run")
    triggers("remove")
    with pytest.raises(SystemExit, match="1"):
        triggers("check")
    assert "CREATE TRIGGER" in triggers("install", "--dry-run")
    with pytest.raises(SystemExit, match="1"):
        triggers("check")
    triggers("install")
    assert "0 missing, 0 stale" in triggers("check")
    with pytest.raises(CommandError):
        triggers("forget")


def warnings() -> list[str]:
    return [
        message.id
        for message in run_checks(tags=[Tags.database], databases=[connection.alias])
        if message.id == "django_stream.W060"
    ]


def test_checks_name_missing_and_stale_triggers(settings: Any) -> None:
    assert warnings() == []
    settings.STREAM_OUTBOX_WINDOW_SECONDS = 5.0
    assert warnings() == ["django_stream.W060"]
    capture.reconcile(connection.alias)
    assert warnings() == []
    capture.remove(connection.alias)
    assert warnings() == ["django_stream.W060"]


def test_checks_name_ways_that_do_not_exist(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STREAM_CAPTURE = "databse"
    (publisher,) = publishers_of(Photo)
    monkeypatch.setattr(publisher, "capture", "trigger")
    found = [message for message in check_capture() if message.id == "django_stream.E060"]
    assert len(found) == 2
    assert "Did you mean 'database'?" in found[0].hint


class Dated(models.Model):
    day = models.DateField(primary_key=True)

    class Meta:
        app_label = "testapp_unmigrated"


def test_keys_that_triggers_cannot_write_are_refused() -> None:
    with pytest.raises(NoCapture, match=r"Dated\.day is a key of type DateField"):
        list(row_tables(Dated, None, connection.alias))
    with pytest.raises(NoCapture):
        pair_table(Dated, [Dated._meta.pk], None, connection.alias)


@pytest.mark.django_db(transaction=True)
def test_migrate_puts_them_in_place_and_takes_them_away(settings: Any) -> None:
    capture.remove(connection.alias)
    call_command("migrate", verbosity=0)
    assert "0 missing, 0 stale" in triggers("check")
    settings.STREAM_CAPTURE = "signals"
    call_command("migrate", verbosity=0)
    assert capture.remove(connection.alias).surplus == {}


def test_tables_that_are_not_there_yet_are_left_for_the_next_migrate(monkeypatch: pytest.MonkeyPatch) -> None:
    (publisher,) = publishers_of(Photo)
    before = set(installed_names(connection.alias))
    later = [NotedTable("created_later", (KeyColumn("id", "number"),))]
    monkeypatch.setattr(publisher, "noted_tables", lambda using: later)
    capture.reconcile(connection.alias)
    assert installed_names(connection.alias) < before
    assert not capture.is_captured(publisher.label, connection.alias)


if connection.vendor == "postgresql":

    def test_truncate_takes_all_rows_out(article: Article, ada: User) -> None:
        second = Article.objects.create(author=ada, title="two")
        forget()
        # Foreign keys that wait for their check forbid a TRUNCATE in the same transaction.
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute("TRUNCATE testapp_article CASCADE")
        assert {str(article.pk), str(second.pk)} == set(noted("testapp.Article"))

    def test_another_role_needs_no_rights_on_our_tables(ada: User) -> None:
        execute("CREATE ROLE stream_test_importer")
        execute("GRANT USAGE ON SCHEMA public TO stream_test_importer")
        execute("GRANT INSERT, SELECT ON testapp_photo TO stream_test_importer")
        execute("SET LOCAL ROLE stream_test_importer")
        execute("SET LOCAL search_path = pg_catalog")
        key = uuid.uuid4()
        execute(
            "INSERT INTO public.testapp_photo (id, owner_id, created_at) VALUES (%s, %s, now())", key, ada.pk
        )
        execute("RESET ROLE")
        execute("RESET search_path")
        assert noted() == [f"testapp.Photo:{key}"]

    def test_copy_is_noted(ada: User) -> None:
        key = uuid.uuid4()
        with (
            connection.cursor() as cursor,
            cursor.copy("COPY testapp_photo (id, owner_id, created_at) FROM STDIN") as copy,
        ):
            copy.write_row((key, ada.pk, "2026-01-31 12:00+00"))
        assert noted() == [f"testapp.Photo:{key}"]

    @pytest.mark.django_db(transaction=True)
    def test_a_drain_that_listens_hears_of_what_others_commit(ada: User) -> None:
        stopped, reported = threading.Event(), threading.Event()

        def heard(report: DrainReport) -> None:
            reported.set()

        forever = threading.Thread(target=drain_until, args=[stopped, connection.alias, 60.0, heard])
        drained_at_once(ada)
        forever.start()
        try:
            # What is there when it begins is drained first, and then it listens.
            assert reported.wait(30)
            reported.clear()
            SQL(Photo).bulk_create([Photo(owner=ada)])
            assert reported.wait(30)
        finally:
            stopped.set()
            execute(f"NOTIFY {capture.CHANNEL}")
            forever.join()
        assert noted() == []
        capture.remove(connection.alias)
        assert len(feeds.profile(ada).page()) == 2


def drained_at_once(ada: User) -> None:
    """Something that waits in the outbox already."""
    SQL(Photo).bulk_create([Photo(owner=ada)])

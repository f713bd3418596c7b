"""Fixtures that every folder shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

import hypothesis
import pytest
from django.contrib.auth.models import User
from django.db.models import Model

pytest.register_assert_rewrite("tests.expected_feeds", "tests.any_json")
# A busy machine makes examples slowly, which is no fault of theirs.
hypothesis.settings.register_profile("patient", suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile(
    "thorough", parent=hypothesis.settings.get_profile("patient"), max_examples=2000
)
hypothesis.settings.load_profile("patient")
_meant_to_commit = pytest.StashKey[bool]()
"""Of a test that changes tables, whether its own marker asks for real commits."""


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Keys begin elsewhere in each table, as they do in the middle of a run: no test may count on 1."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("SELECT sequencename FROM pg_sequences WHERE schemaname = current_schema()")
            for place, (name,) in enumerate(sorted(cursor.fetchall())):
                cursor.execute("SELECT setval(%s::regclass, %s)", [f'"{name}"', 990 + 1003 * place])


def pytest_itemcollected(item: pytest.Item) -> None:
    """Where each change of a table is committed, a test that makes one is not undone by a rollback."""
    from django.db import connection

    if item.get_closest_marker("tables") and not connection.features.can_rollback_ddl:
        asked = item.get_closest_marker("django_db")
        options = asked.kwargs if asked else {}
        item.stash[_meant_to_commit] = bool(options.get("transaction"))
        item.add_marker(pytest.mark.django_db(**{**options, "transaction": True}), append=False)


@pytest.fixture(autouse=True)
def _no_change_of_tables_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    from django.db import connection

    if connection.features.can_rollback_ddl:
        yield
    elif request.node.get_closest_marker("tables"):
        from django_stream.publishing import capture
        from django_stream.publishing.nudge import nudges_held

        request.getfixturevalue("transactional_db")
        before = connection.introspection.table_names()
        # A test that was written for a rollback looks at what its changes left in the outbox.
        with nullcontext() if request.node.stash[_meant_to_commit] else nudges_held():
            yield
        capture.remove("default")
        assert connection.introspection.table_names() == before, "whoever comes next has not made this change"
    else:
        with connection.execute_wrapper(_tells_of_changed_tables):
            yield


def _tells_of_changed_tables(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    changes = sql.lstrip().upper().startswith(("CREATE ", "ALTER ", "DROP ", "RENAME "))
    if changes and context["connection"].in_atomic_block:
        pytest.fail(f"no rollback takes this back here, so mark the test with `tables`: {sql[:80]}")
    return execute(sql, params, many, context)


@pytest.fixture(autouse=True)
def _no_relations() -> Iterator[None]:
    """Mutes and blocks are those of the test alone, and not of the example: each costs every page a query."""
    from django_stream.activities import relations, visibility

    with patch.object(relations, "_relations", {}), patch.dict(visibility._registered):  # noqa: SLF001
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """What a test left to the background is not done in the next one, nor while its tables are emptied."""
    from django_stream.wakeup import waker

    with waker._changed:  # noqa: SLF001
        waker._waiting.clear()  # noqa: SLF001
    waker.flush(10)


@pytest.fixture
def make_user(db: None) -> Callable[[str], User]:
    return lambda name: User.objects.create(username=name)


@pytest.fixture
def ada(make_user: Callable[[str], User]) -> User:
    return make_user("ada")


@pytest.fixture
def grace(make_user: Callable[[str], User]) -> User:
    return make_user("grace")


@pytest.fixture
def take_away(db: None) -> Iterator[Callable[[type[Model]], None]]:
    """Take the table of a model away until the end of the test, as if it was never migrated."""
    from django.db import connection

    taken: list[str] = []

    def rename(table: str, name: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")

    def take(model: type[Model]) -> None:
        table = model._meta.db_table
        rename(table, f"{table}_away")
        taken.append(table)

    yield take
    for table in taken if not connection.features.can_rollback_ddl else []:
        rename(f"{table}_away", table)


@pytest.fixture
def feed_of() -> Callable[..., list[dict[str, Any]]]:
    """The un-enriched entries of a feed, as the API answers them."""
    from django_stream.feeds import feed_manager

    def read(slug: str, owner: Any, **options: Any) -> list[dict[str, Any]]:
        return list(feed_manager.get_feed(slug, owner).get(**{"limit": 100} | options)["results"])

    return read


@pytest.fixture
def app_streams(settings: Any) -> Iterator[None]:
    """App Streams are on, and every process knows of a new one at once."""
    from django_stream.server.events import interest

    settings.STREAM_SERVER_STREAMS = True
    settings.STREAM_SERVER_STREAMS_NOTICE_SECONDS = 0.0
    interest.forget()
    yield
    interest.forget()

"""What the migration does beyond Django's words."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext

from django_stream.database.plans import invalid_indexes
from django_stream.server.models import Activity

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases have no such tables")
def test_narrow_tables_are_kept_in_the_order_of_their_keys():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pragma_table_list WHERE wr AND name LIKE 'django_stream_server_%%'")
        names = {name.removeprefix("django_stream_server_") for (name,) in cursor.fetchall()}
    assert names == {"activitygroupentry", "exclusion", "groupchange", "placement", "timelineentry"}


@pytest.mark.django_db(transaction=True)
def test_the_index_of_actors_is_built_beside_writers_and_again_after_a_break():
    app, old, new = "django_stream_server", "dss_activity_actor", "dss_activity_actor_key"
    table = Activity._meta.db_table

    def migrate(name: str) -> None:
        executor = MigrationExecutor(connection)
        executor.migrate([(app, name)])

    def indexes() -> set[str]:
        with connection.cursor() as cursor:
            return {old, new} & {*connection.introspection.get_constraints(cursor, table)}

    try:
        migrate("0009_timelines_outside")
        assert indexes() == {old}
        # What a build that broke off has left, as nearly as a test can do it.
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE INDEX {new} ON {table} (application_id)")
            if connection.vendor == "postgresql":
                cursor.execute(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{new}'::regclass")
        with CaptureQueriesContext(connection) as done:
            migrate("0010_activities_of_an_actor")
        assert indexes() == {new}
        if connection.vendor == "postgresql":
            changes = [q["sql"] for q in done if " INDEX " in q["sql"]]
            assert len(changes) == 3
            assert all("CONCURRENTLY" in sql for sql in changes)
            assert not invalid_indexes([Activity], "default")
    finally:
        migrate(max(name for label, name in MigrationExecutor(connection).loader.graph.nodes if label == app))

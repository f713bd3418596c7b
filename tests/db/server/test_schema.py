"""What the migration does beyond Django's words."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


@pytest.mark.skipif(connection.vendor != "sqlite", reason="other databases have no such tables")
def test_narrow_tables_are_kept_in_the_order_of_their_keys():
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pragma_table_list WHERE wr AND name LIKE 'django_stream_server_%%'")
        names = {name.removeprefix("django_stream_server_") for (name,) in cursor.fetchall()}
    assert names == {"activitygroupentry", "exclusion", "groupchange", "placement", "timelineentry"}

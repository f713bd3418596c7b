"""What one `create()` costs without Celery, with the default feeds: statements, however many follow."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_stream.server.conf import DEFAULT_FEED_GROUPS
from tests.contract.calling import follow
from tests.testapp.models import Tag

pytestmark = pytest.mark.django_db(transaction=True)

_NO_STATEMENTS = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
MOST = 21 if connection.vendor == "mysql" else 18
"""The row and its outbox entry, and everything until it is in the feeds; one asks for the row's reactions.

MariaDB enters an object by three statements in place of one, and tells by another what an INSERT skipped.
"""


@pytest.mark.parametrize("followers", [0, 1, 60])
def test_a_create_costs_the_same_statements_however_many_follow(settings: Any, followers: int) -> None:
    settings.STREAM_SERVER_FEED_GROUPS = DEFAULT_FEED_GROUPS
    user = User.objects.create(username="ada")
    Tag.objects.create(name="first", user=user)
    for number in range(followers):
        for group in ("timeline", "timeline_aggregated", "notification"):
            follow(f"{group}:{number}", f"user:{user.pk}")
    counts = []
    for number in range(3):
        with CaptureQueriesContext(connection) as queries:
            Tag.objects.create(name=str(number), user=user)
        statements = [one["sql"] for one in queries if not one["sql"].startswith(_NO_STATEMENTS)]
        counts.append(len(statements))
    assert counts == [MOST] * 3, "\n".join(statements)

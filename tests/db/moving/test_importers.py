"""What each import promises: a dry run tells the numbers of the run, what dangles is counted, a second run
changes nothing. (Stream-Framework's is in tests/services, since it reads Redis.)"""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from django_stream.backends import get_client
from tests.extras import needs
from tests.moved.made import load

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("feed_groups"), needs("aggregation")]

DANGLING = {
    "actstream": (
        "UPDATE actstream_action SET actor_object_id = '99999' WHERE id = 1",
        "UPDATE actstream_action SET action_object_object_id = '99999', "
        "action_object_content_type_id = actor_content_type_id WHERE id IN (2, 3)",
        "UPDATE actstream_follow SET object_id = '99999' WHERE id = 1",
        "DELETE FROM actstream_action WHERE id > 60",
    ),
    "notifications": (
        "UPDATE notifications_notification SET actor_object_id = '99999' WHERE id = 1",
        "UPDATE notifications_notification SET target_object_id = '99999', "
        "target_content_type_id = actor_content_type_id WHERE id IN (2, 3)",
        "DELETE FROM notifications_notification WHERE id > 60",
    ),
}
TOLD = {
    "actstream": (
        "1 left out: the actor is gone",
        "2 sent without its action object, which is gone",
        "2 left out: follows of or by rows that are gone",
    ),
    "notifications": (
        "1 left out: the recipient or the actor is gone",
        "2 sent without its target, which is gone",
    ),
}


def imported(package: str, *options: str) -> str:
    out = StringIO()
    call_command("stream_import", "--from", package, *options, stdout=out)
    return out.getvalue()


def feeds_there() -> dict[str, list[str]]:
    slugs = ("user", "timeline", "notification")
    return {
        f"{slug}:{owner}": [
            one["id"] for one in get_client().feed(slug, str(owner)).get(limit=100)["results"]
        ]
        for slug in slugs
        for owner in range(1, 8)
    }


def numbers(told: str) -> list[str]:
    """The lines that count, in whatever words a dry run and a run say them."""
    lines = told.replace("would be sent", "sent").replace("would be", "").splitlines()
    return sorted(line.strip() for line in lines if re.search(r"\d", line))


@pytest.mark.parametrize("package", DANGLING)
def test_a_dry_run_tells_the_numbers_of_the_run_which_may_be_repeated(package: str) -> None:
    load(package)
    with connection.cursor() as cursor:
        for statement in DANGLING[package]:
            cursor.execute(statement)
    empty = feeds_there()

    dry = imported(package, "--dry-run")
    assert feeds_there() == empty
    assert [words for words in TOLD[package] if words not in dry] == [], dry
    first = imported(package)
    there = feeds_there()
    assert there != empty
    assert numbers(first) == numbers(dry)
    second = imported(package)

    assert numbers(second) == numbers(first)
    assert feeds_there() == there

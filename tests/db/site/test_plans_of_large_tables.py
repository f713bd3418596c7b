"""Without statistics, as on a site's first day, no statement of the site reads all of a large table.

Beside the rows that somebody looks at there are very many others in each table: changes that wait and changes
that are parked, ledger rows that are leased and that are not, people, their rows and what they follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import timedelta
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from django_stream.client.exceptions import ConnectionFailed
from django_stream.management.commands._family import Unfinished
from django_stream.models import OutboxEntry, Publication, RecordedActivity
from django_stream.notifications.models import DigestSubscription, Dismissal, Preference, Told
from django_stream.publishing.parking import discard, park, retry_parked
from django_stream.tracking import drain, record, republish, retract
from tests.db.feeds.conftest import people
from tests.db.server.plans import fill, forget_how_full, plans_while_run, scanned
from tests.db.site.test_query_counts import ada, asks, grow
from tests.db.site.test_writing_costs import called, pressed
from tests.faults import BreakingTransport, Clock, before, client_over
from tests.testapp.models import Block, Cheer, Moment, Mute, Praise, Subscription, Whisper

__all__ = ["ada", "people"]

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.urls("tests.db.site.urls"),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite needs no full tables for its plans"),
    pytest.mark.usefixtures("people"),
]

ROWS = 1_000
"""What a statement may read of all tables together."""
LABEL = {"model_label": "'testapp.Moment'"}
SUBSCRIPTIONS = 'SELECT "testapp_subscription"."id" AS "pk" FROM "testapp_subscription" WHERE'
NOT_OURS = (
    # Django's own: what `set()` compares with, and how many rows a list of the admin has.
    'SELECT "auth_user"."id" AS "id" FROM "auth_user" INNER JOIN "testapp_moment_mentioned"',
    'SELECT COUNT(*) AS "__count"',
    # Commands walk over a table of the site's in parts, by the keys of its rows.
    'SELECT "testapp_moment"."author_id" AS "author_id", "testapp_moment"."id" AS "pk"',
    f'{SUBSCRIPTIONS} "testapp_subscription"."reader_id"',
    f'{SUBSCRIPTIONS} ("testapp_subscription"."reader_id"',
)
WHOLE = {
    "admin: outboxentry/?state=waiting": "newest first, they stand behind all that is parked",
    "admin: outboxentry/?q=x1000001": "reasons are searched for words",
    "command: stream_outbox status": "it counts what waits and what is parked",
    "command: stream_doctor": "it counts as well, and looks for models that are tracked no longer",
    "command: stream_verify testapp.Moment --sample": "it draws lots among all rows",
    "command: stream_person export": "it looks for somebody in every text",
}
"""Steps that may read all of a table."""
LATER = "now() + interval '1 hour'"
Step = tuple[str, Callable[[], Any]]


@pytest.fixture
def newest(ada: User, settings: Any) -> Moment:
    """A few rows of each kind, in tables that are full of others."""
    settings.STREAM_OUTBOX_BATCH_SIZE = 5
    newest = grow(ada, 4)
    forget_how_full()
    for model in (User, Moment, Moment.mentioned.through, Praise, Whisper, Cheer, Subscription, Mute, Block):
        fill(model)
    for told in (Dismissal, Preference, Told, DigestSubscription, RecordedActivity):
        fill(told)
    fill(Publication, leased_until=f"CASE WHEN n % 4000 = 0 THEN {LATER} END", **LABEL)
    fill(OutboxEntry, 2_000_000, due_at="'9999-12-01'", parked_at="now()", **LABEL)
    return newest


def whole(steps: Iterable[Step]) -> dict[str, list[tuple[str, list[str]]]]:
    """What reads more than it needs: the statements of each step, and what they read so much of."""
    found = {}
    for name, act in steps:
        if name in WHOLE:
            act()
            continue
        read = [(sql, [*_dear(plan)]) for sql, plan in plans_while_run(act)]
        if dear := [(sql, parts) for sql, parts in read if parts and not sql.startswith(NOT_OURS)]:
            found[name] = dear
    return found


def _dear(part: Any) -> Iterator[str]:
    rows, what = scanned(part)
    if rows > ROWS or begins_elsewhere(part):
        yield f"{what}: {rows} rows, {part.get('Index Cond')}"
    for below in part.get("Plans", ()):
        yield from _dear(below)


def begins_elsewhere(part: Any) -> bool:
    """Whether a condition says nothing of an index's first column, so that all of the index is read."""
    index = part.get("Index Name")
    if index is None or "Index Cond" not in part:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_indexdef(%s::regclass, 1, true)", [index])
        [first] = cursor.fetchone()
    return first not in part["Index Cond"]


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@pytest.mark.parametrize("analyzed", [False, True])
def test_changes_and_pages(analyzed: bool, newest: Moment, ada: User, rf: RequestFactory) -> None:
    fill(OutboxEntry, bulk="true", parked_at="NULL", **LABEL)
    if analyzed:
        analyze()

    assert whole(chain(written(ada), published(), read(newest, ada, rf), told())) == {}


@pytest.mark.parametrize("analyzed", [False, True])
def test_commands(analyzed: bool, newest: Moment, ada: User, tmp_path: Path) -> None:
    # Commands that publish go on until nothing is due.
    fill(OutboxEntry, due_at=LATER, parked_at="NULL", **LABEL)
    if analyzed:
        analyze()

    assert whole(commanded(ada, tmp_path)) == {}


def written(ada: User) -> Iterator[Step]:
    grace = User.objects.create(username="grace")
    moment = Moment(author=ada, at=grace)
    yield "save", moment.save
    yield "save again", moment.save
    yield "recipients", lambda: moment.mentioned.add(grace)
    yield "recipients, other", lambda: moment.mentioned.set([ada])
    yield "recipients, none", moment.mentioned.clear
    yield "bulk_create", lambda: Moment.objects.bulk_create([Moment(author=ada), Moment(author=grace)])
    mine = Moment.objects.filter(author=ada)
    yield "update", lambda: mine.update(text="x")
    yield "bulk_update", lambda: Moment.objects.bulk_update(mine[:2], ["text"])
    yield "follow", lambda: Subscription.objects.create(reader=grace, writer=ada)
    yield "unfollow", lambda: Subscription.objects.filter(reader=grace).delete()
    praise = Praise.objects.create(by=grace, moment=moment)
    grace.first_name = "Grace"
    yield "save of what others show", grace.save
    yield "reaction", lambda: Whisper.objects.create(user=grace, moment=moment)
    yield "block", lambda: Block.objects.create(by=grace, of=ada)
    yield "republish", lambda: republish(Moment.objects.filter(pk=moment.pk))
    yield "delete of a few", Praise.objects.filter(pk=praise.pk).delete
    yield "delete with others", moment.delete
    yield "record", lambda: record(actor=ada, verb="climb", object="hill", key="a")
    yield "record again", lambda: record(actor=ada, verb="climb", object="peak", key="a")
    yield "retract", lambda: retract(key="a")
    yield "retract by who", lambda: retract(actor=ada)


def published() -> Iterator[Step]:
    yield "drain", lambda: drain(max_batches=2)
    yield "drain of single changes", lambda: drain(bulk=False)
    user = User.objects.create(username="busy")
    moment = Moment.objects.create(author=user)
    first = ("testapp.Moment", str(moment.pk))
    yield "drain of one change at once", lambda: drain(first=first, max_batches=1)
    unreachable = client_over(BreakingTransport(*[before(ConnectionFailed("no route"))] * 9))
    other = Moment.objects.create(author=user)
    yield "drain that fails", lambda: drain(client=unreachable, bulk=False)
    moment.delete()
    entries = OutboxEntry.objects.filter(object_key=str(other.pk), model_label="testapp.Moment")
    yield "park", lambda: park(entries, "why")
    yield "retry", lambda: retry_parked("default", entries)
    yield "drain of deletions", lambda: drain(bulk=False)
    clock = Clock()
    clock.forward(hours=2)
    yield "drain after all leases", lambda: drain(bulk=False, clock=clock)
    yield "discard", lambda: discard(entries, timezone.now() - timedelta(days=1))


def read(newest: Moment, ada: User, rf: RequestFactory) -> Iterator[Step]:
    yield from asks(ada, newest, rf).items()
    yield from pressed(ada)
    yield from called(ada, newest)


def told() -> Iterator[Step]:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    admin = "/admin/django_stream/"
    entry, row = OutboxEntry.objects.order_by("pk").last(), Publication.objects.order_by("pk").last()
    recorded = RecordedActivity.objects.order_by("pk").last()
    assert entry
    assert row
    assert recorded

    def get(address: str) -> Any:
        def ask() -> None:
            assert client.get(admin + address).status_code == 200

        return ask

    for address in (
        "outboxentry/",
        "outboxentry/?state=parked",
        "outboxentry/?state=waiting",
        "outboxentry/?q=x1000001",
        f"outboxentry/{entry.pk}/change/",
        "publication/",
        "publication/?q=x1000001",
        f"publication/{row.pk}/change/",
        "recordedactivity/",
        "recordedactivity/?q=x1000001",
        f"recordedactivity/{recorded.pk}/change/",
    ):
        yield f"admin: {address}", get(address)


def commanded(ada: User, tmp_path: Path) -> Iterator[Step]:
    def command(*words: str) -> Step:
        def call() -> None:
            with suppress(Unfinished):  # there are findings, such as what waits for very long
                call_command(*words, stdout=StringIO())

        return f"command: {' '.join(words[:3]).removesuffix(' ada')}", call

    mine = f"author={ada.pk}"
    yield command("stream_outbox", "status")
    yield command("stream_backfill", "testapp.Moment", "--where", mine)
    yield command("stream_sync", "testapp.Subscription", "--where", f"reader={ada.pk}")
    yield command("stream_verify", "testapp.Moment", "--sample", "5")
    row = f"testapp.Moment:{Moment.objects.filter(author=ada)[0].pk}"
    yield command("stream_explain", row, "--feed", f"user:{ada.pk}")
    yield command("stream_doctor")
    yield command("stream_person", "export", "ada", str(tmp_path / "a.zip"))

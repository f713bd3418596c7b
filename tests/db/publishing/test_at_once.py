"""A change beside its feeds is published by one transaction; nothing is lost, whatever it is killed at."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from django_stream import signals
from django_stream.models import OutboxEntry, Publication
from django_stream.publishing.leases import claim
from django_stream.publishing.nudge import nudges_held
from django_stream.tracking import drain
from tests.db.publishing.concurrency import alone, is_stuck
from tests.faults import Clock
from tests.services.processes import wait_until
from tests.testapp.models import Article, Tag

pytestmark = [
    pytest.mark.django_db(transaction=True),
    # What a killed process has open at the server ends with its connection; here the process goes on.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FeedOf = Callable[..., list[dict[str, Any]]]
Change = Callable[[Article], object]


def titles(feed_of: FeedOf, author: User) -> list[str]:
    return [entry["title"] for entry in feed_of("user", author)]


def is_clean() -> bool:
    """Nothing waits, and the ledger knows of no attempt that is open."""
    free = Publication.objects.filter(attempts=0, lease=None, leased_until=None)
    return not OutboxEntry.objects.exists() and free.count() == Publication.objects.count()


def edit(article: Article) -> None:
    article.title = "new"
    article.save()


def hide(article: Article) -> None:
    article.is_public = False
    article.save()


def move(article: Article) -> None:
    article.author = User.objects.get(username="grace")
    article.save()


def delete(article: Article) -> None:
    article.delete()


@contextmanager
def failing_at(number: int, failure: BaseException) -> Iterator[list[str]]:
    """The statement of this number fails after the first commit: those that publish what was saved."""
    ran: list[str] = []

    def fail(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if is_committed():
            ran.append(sql)
            if len(ran) == number:
                raise failure
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield ran


def is_committed() -> bool:
    """Whether the entry of the change stands outside of the transaction that wrote it."""
    return _committed.is_set()


_committed = Event()


@pytest.fixture(autouse=True)
def committed() -> Iterator[None]:
    yield
    _committed.clear()


def saved(change: Callable[[], object]) -> None:
    with transaction.atomic():
        transaction.on_commit(_committed.set)
        change()


def change_of(name: str, ada: User) -> Callable[[], object]:
    if name == "create":
        return lambda: Article.objects.create(author=ada, title="new")
    article = Article.objects.create(author=ada, title="old")
    changes: dict[str, Change] = {"edit": edit, "hide": hide, "move": move, "delete": delete}
    return lambda: changes[name](article)


NAMES = ("create", "edit", "hide", "move", "delete")
EXPECTED = {"create": (["new"], []), "edit": (["new"], []), "move": ([], ["old"])}


def check(name: str, ada: User, grace: User, feed_of: FeedOf) -> None:
    assert (titles(feed_of, ada), titles(feed_of, grace)) == EXPECTED.get(name, ([], []))
    assert is_clean()


@pytest.mark.parametrize("name", NAMES)
def test_whatever_it_is_killed_at_nothing_is_lost(
    name: str, ada: User, grace: User, feed_of: FeedOf, clock: Clock
) -> None:
    for number in itertools.count(1):
        change = change_of(name, ada)
        with failing_at(number, KeyboardInterrupt()) as ran:
            try:
                saved(change)
            except KeyboardInterrupt:
                killed = True
            else:
                killed = False
        _committed.clear()
        clock.forward(hours=1)
        drain(clock=clock)
        check(name, ada, grace, feed_of)
        if not killed:
            break
        with nudges_held():
            Article.objects.all().delete()
        drain(clock=clock)
    assert len(ran) > 5, "it was killed at each of its statements"
    gc.collect()  # here, where what is left open is expected


@pytest.mark.parametrize("name", NAMES)
def test_whatever_statement_fails_the_leases_get_there(
    name: str, ada: User, grace: User, feed_of: FeedOf, clock: Clock
) -> None:
    for number in (1, 2, 3, 5, 8, 13):
        with failing_at(number, OperationalError("the disk is full")) as ran:
            saved(change_of(name, ada))
        _committed.clear()
        assert len(ran) >= number
        clock.forward(hours=1)
        drain(clock=clock)
        check(name, ada, grace, feed_of)
        with nudges_held():
            Article.objects.all().delete()
        drain(clock=clock)


def test_one_transaction_sends_and_settles(ada: User, feed_of: FeedOf) -> None:
    Tag.objects.create(name="first", user=ada)
    with CaptureQueriesContext(connection) as queries:
        Tag.objects.create(name="second", user=ada)
    assert sum(one["sql"] == "COMMIT" for one in queries) == 2, "of the row, and of the feeds"
    assert len(feed_of("user", ada)) == 2
    assert is_clean()


def test_who_listens_is_told_once_it_is_committed(ada: User) -> None:
    told: list[Any] = []

    def listen(keys: list[str], using: str, **_: Any) -> None:
        told.append((keys, connection.in_atomic_block, is_clean()))

    signals.changes_published.connect(listen)
    try:
        article = Article.objects.create(author=ada, title="a")
    finally:
        signals.changes_published.disconnect(listen)
    assert told == [([str(article.pk)], False, True)]


def test_what_somebody_else_has_leased_is_left_to_them(ada: User, feed_of: FeedOf, clock: Clock) -> None:
    with nudges_held():
        article = Article.objects.create(author=ada, title="old")
    lease = claim("default", clock(), 1)
    edit(article)
    assert titles(feed_of, ada) == []
    assert Publication.objects.get().lease == (lease and lease.token)
    clock.forward(hours=1)
    drain(clock=clock)
    assert titles(feed_of, ada) == ["new"]
    assert is_clean()


def test_a_row_whose_code_fails_is_tried_again_as_ever(
    ada: User, monkeypatch: pytest.MonkeyPatch, feed_of: FeedOf, clock: Clock
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Article, "extra_activity_data", property(lambda article: 1 / 0))
        Article.objects.create(author=ada, title="a")
    entry = OutboxEntry.objects.get()
    assert (entry.attempts, entry.reason) == (
        1,
        "Article.extra_activity_data raised ZeroDivisionError: division by zero",
    )
    OutboxEntry.objects.update(due_at=clock.now, parked_at=None)
    drain(clock=clock)
    assert titles(feed_of, ada) == ["a"]
    assert is_clean()


def test_without_locks_of_rows_nobody_waits_for_the_sites_code(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside: list[bool] = []

    def look(article: Article) -> dict[str, Any]:
        inside.append(connection.in_atomic_block)
        return {}

    monkeypatch.setattr(Article, "extra_activity_data", property(look))
    Article.objects.create(author=ada, title="a")
    assert inside
    assert not (connection.vendor == "sqlite" and any(inside))
    assert is_clean()


@pytest.mark.services
@pytest.mark.usefixtures("row_locks")
@pytest.mark.parametrize("first", ["create", "edit"])
def test_two_at_once_leave_the_newest(first: str, ada: User, feed_of: FeedOf) -> None:
    """The row is edited by another connection while the transaction that publishes it has read it already."""
    pids: list[int] = []
    others: list[Any] = []

    def edit_meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "django_stream_server" in sql and not others:  # the row was read, and nothing is sent yet
            others.append(pool.submit(alone, lambda: edit(Article.objects.get()), pids))
            wait_until(lambda: pool.submit(alone, lambda: is_stuck(pids), []).result(), "it waits", within=30)
        return execute(sql, params, many, context)

    with ThreadPoolExecutor(2) as pool:
        article = Article(author=ada, title="old")
        if first == "edit":
            Article.objects.bulk_create([Article(author=ada, title="oldest")])
            article = Article.objects.get()
            article.title = "old"
        with connection.execute_wrapper(edit_meanwhile):
            article.save()
        others[0].result()
    assert titles(feed_of, ada) == ["new"]
    assert is_clean()

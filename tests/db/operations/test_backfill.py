"""A backfill sends rows of one feed together, goes on where it was killed, and tells what it would do."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection

from django_stream.client.exceptions import ConnectionFailed
from django_stream.models import Checkpoint, OutboxEntry, Publication
from django_stream.protocol.messages import ApiResponse
from django_stream.testing import drain_outbox
from django_stream.tracking import activities_paused
from tests.faults import BreakingTransport, after, answering, before
from tests.testapp.models import Article, Comment, Reading, Subscription, Tag

pytestmark = pytest.mark.django_db

FeedOf = Callable[..., list[dict[str, Any]]]
Over = Callable[..., BreakingTransport]
START = datetime(2026, 1, 31, 12, tzinfo=UTC)


def run(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out, stderr=out)
    return out.getvalue()


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def small_batches(settings: Any) -> None:
    settings.STREAM_OUTBOX_BATCH_SIZE = 3


@pytest.fixture
def authors(make_user: Any) -> list[User]:
    """Five authors, whose articles are interleaved."""
    authors = [make_user(name) for name in "abcde"]
    with activities_paused():
        for number, author in itertools.product(range(4), authors):
            time = START + timedelta(minutes=number)
            Article.objects.create(author=author, title=f"{author} {number}", published_at=time)
    return authors


def titles(feed: list[dict[str, Any]]) -> list[str]:
    return [entry["title"] for entry in feed]


def test_rows_of_one_feed_go_out_together_however_they_lie_in_the_table(
    authors: list[User], over: Over
) -> None:
    road = over()

    run("stream_backfill", "testapp.Article")

    assert sorted(road.requests) == [f"POST feed/user/{author.pk}/" for author in authors]
    assert not OutboxEntry.objects.exists()
    assert not Checkpoint.objects.exists()


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("failure", [before, after])
def test_a_killed_run_goes_on_and_waits_for_no_lease(
    failure: Any, number: int, authors: list[User], over: Over, feed_of: FeedOf
) -> None:
    over(*[lambda _request, go_on: go_on()] * number, failure(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run("stream_backfill", "testapp.Article")
    road = over()

    run("stream_backfill", "testapp.Article", "--resume")

    for author in authors:
        assert titles(feed_of("user", author)) == [f"{author} {number}" for number in (3, 2, 1, 0)]
    assert not OutboxEntry.objects.exists()
    assert not Publication.objects.exclude(lease=None, attempts=0).exists()
    assert not Checkpoint.objects.exists()
    # Seven batches of three rows, and some of them of two authors: what was settled is not sent again.
    assert len(road.requests) <= 11 - number


@pytest.mark.usefixtures("small_batches")
def test_a_run_with_other_options_begins_anew(authors: list[User], over: Over) -> None:
    over(*[lambda _request, go_on: go_on()] * 3, before(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run("stream_backfill", "testapp.Article")

    told = lines(run("stream_backfill", "testapp.Article", "--resume", "--where", "title=a 1", "--json"))

    assert told[-1]["sent"] + told[-1]["unchanged"] == 1


def test_a_run_that_was_finished_is_not_done_again_when_another_is_resumed(
    authors: list[User], over: Over
) -> None:
    with activities_paused():
        Tag.objects.create(name="t", user=authors[0])
    # The articles go out, and the tag, which is looked at last, does not.
    over(*[lambda _request, go_on: go_on()] * 5, before(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run("stream_backfill", "testapp.Article", "testapp.Tag")
    road = over()

    run("stream_backfill", "testapp.Article", "testapp.Tag", "--resume")

    assert road.requests == [f"POST feed/user/{authors[0].pk}/"]


def test_what_fails_is_left_to_the_outbox_with_its_reason(
    authors: list[User], over: Over, feed_of: FeedOf
) -> None:
    error = {"code": 4, "exception": "InputException", "detail": "no", "status_code": 400}
    over(*[answering(ApiResponse(400, error))] * 2)

    with pytest.raises(CommandError, match="0 will be tried again, 1 are parked") as ended:
        run("stream_backfill", "testapp.Article")

    assert ended.value.returncode == 1
    assert sum(len(feed_of("user", author)) for author in authors) == 19
    (entry,) = OutboxEntry.objects.all()
    assert (entry.parked_at is not None, entry.bulk) == (True, True)
    assert "no" in entry.reason


def test_an_api_out_of_reach_ends_the_run_which_can_be_resumed(authors: list[User], over: Over) -> None:
    road = over(before(ConnectionFailed("dead", unsent=True)))

    with pytest.raises(CommandError, match="--resume") as ended:
        run("stream_backfill", "testapp.Article")

    assert (ended.value.returncode, len(road.requests)) == (1, 1)
    OutboxEntry.objects.update(due_at=START)
    run("stream_backfill", "testapp.Article", "--resume")
    assert not OutboxEntry.objects.exists()


def test_an_object_in_other_hands_is_left_to_the_outbox(authors: list[User], feed_of: FeedOf) -> None:
    held = Article.objects.filter(author=authors[0]).earliest("pk")
    Publication.objects.create(
        model_label="testapp.Article",
        object_key=str(held.pk),
        lease="00000000-0000-0000-0000-000000000001",
        leased_until=datetime(2999, 1, 1, tzinfo=UTC),
        attempts=1,
    )

    run("stream_backfill", "testapp.Article")

    assert len(feed_of("user", authors[0])) == 3
    assert OutboxEntry.objects.get().object_key == str(held.pk)
    Publication.objects.update(lease=None, leased_until=None)
    drain_outbox()
    assert len(feed_of("user", authors[0])) == 4


@pytest.mark.usefixtures("small_batches")
def test_a_dry_run_tells_the_same_numbers_and_does_nothing(
    authors: list[User], over: Over, feed_of: FeedOf
) -> None:
    with activities_paused():
        Article.objects.filter(title="a 0").update(is_public=False)
    road = over()

    planned = lines(run("stream_backfill", "testapp.Article", "--dry-run", "--json"))
    assert road.requests == []
    assert not Publication.objects.exists()
    done = lines(run("stream_backfill", "testapp.Article", "--json"))

    assert (
        planned[-1]
        == done[-1]
        == {
            "summary": True,
            "ok": True,
            "sent": 19,
            "unchanged": 0,
            "kept_out": 1,
            "failed": 0,
            "parked": 0,
        }
    )
    again = lines(run("stream_backfill", "testapp.Article", "--dry-run", "--json"))
    assert (again[-1]["sent"], again[-1]["unchanged"], again[-1]["kept_out"]) == (0, 19, 1)


def test_a_dry_run_tells_of_each_row_that_fails(
    authors: list[User], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(article: Article) -> bool:
        raise RuntimeError(article.title)

    monkeypatch.setattr(Article, "is_public", property(fails, lambda article, value: None))
    with pytest.raises(CommandError, match="^20 cannot be read: the log tells why$"):
        run("stream_backfill", "testapp.Article", "--dry-run")
    told = [one for one in caplog.records if "could not be published" in one.message]
    assert (len(told), str(told[0].exc_info[1])) == (20, "a 0")


def test_quiet_says_nothing(authors: list[User]) -> None:
    assert run("stream_backfill", "testapp.Article", "--quiet") == ""


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--since", "2026-01-31T12:02+00:00"], {2, 3}),
        (["--until", "2026-01-31T12:02+00:00"], {0, 1}),
        (["--since", "2026-01-31T12:01+00:00", "--until", "2026-01-31T12:03+00:00"], {1, 2}),
        (["--since", "2026-02-01"], set()),
        (["--where", "title__endswith=3"], {3}),
        (["--where", "title__endswith=3", "--where", "author__username=b"], {3}),
    ],
)
def test_rows_can_be_chosen(
    options: list[str], numbers: set[int], authors: list[User], feed_of: FeedOf
) -> None:
    run("stream_backfill", "testapp.Article", *options)

    assert {int(title[-1]) for title in titles(feed_of("user", authors[1]))} == numbers
    assert (feed_of("user", authors[0]) == []) == ("author__username=b" in options or not numbers)


def test_a_chosen_part_takes_nothing_out_that_it_did_not_look_at(
    authors: list[User], feed_of: FeedOf
) -> None:
    run("stream_backfill", "testapp.Article")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM testapp_article WHERE title = 'a 0'")

    run("stream_backfill", "testapp.Article", "--where", "title=a 1")
    assert len(feed_of("user", authors[0])) == 4
    run("stream_backfill", "testapp.Article")
    assert len(feed_of("user", authors[0])) == 3


def test_only_rows_that_concern_a_feed_group(authors: list[User], feed_of: FeedOf) -> None:
    with activities_paused():
        Article.objects.get(title="a 2").mentioned.add(authors[1])

    run("stream_backfill", "testapp.Article", "--feed", "notification")

    assert titles(feed_of("user", authors[0])) == ["a 2"]
    assert feed_of("user", authors[1]) == []
    run("stream_backfill", "testapp.Article", "--feed", "user")
    assert len(feed_of("user", authors[1])) == 4


def test_followers_need_not_be_told_of_old_rows(authors: list[User], feed_of: FeedOf) -> None:
    ada, grace, *_ = authors
    Subscription.objects.create(reader=grace, writer=ada)
    drain_outbox()

    run("stream_backfill", "testapp.Article", "--where", f"author={ada.pk}", "--no-fanout")

    assert len(feed_of("user", ada)) == 4
    assert feed_of("timeline", grace) == []
    Article.objects.create(author=ada, title="new")
    drain_outbox()
    assert titles(feed_of("timeline", grace)) == ["new"]
    Article.objects.filter(author=ada).delete()
    drain_outbox()
    assert feed_of("user", ada) == feed_of("timeline", grace) == []


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("testapp.Article --where nothing=1", "Cannot resolve keyword 'nothing'"),
        ("testapp.Article --where author=x", "testapp.Article: Field 'id' expected a number"),
        ("testapp.Article --where author", "say KEY=VALUE"),
        ("testapp.Member --since 2026-01-01", "its user have no time"),
        ("testapp.Article --no-drain --since 2026-01-01", "--no-drain notes whole tables"),
        ("nobody.Knows", "no such tracked model"),
    ],
)
def test_wrong_use_is_answered_by_exit_code_two(typed: str, told: str) -> None:
    with pytest.raises(CommandError, match=told) as ended:
        run("stream_backfill", *typed.split())

    assert ended.value.returncode == 2


@pytest.mark.parametrize(
    "typed", ["--since tomorrow", "--since 2026-02-30", "--jobs 0", "--rate -1/s", "--rate x"]
)
def test_values_that_make_no_sense_are_refused(typed: str) -> None:
    with pytest.raises(CommandError):
        run("stream_backfill", *typed.split())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("small_batches")
def test_several_batches_are_in_flight(authors: list[User], feed_of: FeedOf) -> None:
    with activities_paused():
        for author in authors[1:]:
            Subscription.objects.create(reader=authors[0], writer=author)
        Reading.objects.create(reader=authors[0], article=Article.objects.first())
        Comment.objects.create(user=authors[0], article=Article.objects.first())

    assert "22 sent" in run("stream_backfill", "--jobs", "4")
    assert "4 sent" in run("stream_sync", "--jobs", "4")

    assert len(feed_of("user", authors[0])) == 6
    assert len(feed_of("timeline", authors[0])) == 16
    assert "0 sent, 22 were there already" in run("stream_backfill", "--jobs", "4")

"""A model that was renamed, moved or lost its mixin leaves nothing that a backfill does not take out."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import F, Value
from django.db.models.functions import Replace

from django_stream.activities.owners import user_id_of
from django_stream.backends import get_client
from django_stream.models import OutboxEntry, Publication
from django_stream.publishing.publisher import publishers
from django_stream.testing import drain_outbox
from tests.testapp.models import Article, Comment, Member, Opinion, Subscription

pytestmark = pytest.mark.django_db


def run(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def forget_the_names() -> None:
    """The ledger as it is once every model has another name: its labels and records are those of before."""
    Publication.objects.update(model_label=Replace(F("model_label"), Value("testapp."), Value("formerly.")))


@pytest.fixture
def published(ada: User, grace: User) -> Article:
    article = Article.objects.create(author=ada, title="a")
    Comment.objects.create(user=grace, article=article)
    Opinion.objects.create(user=grace, article=article, text="fine")
    Subscription.objects.create(reader=grace, writer=ada)
    Member.objects.create(email="m@example.org", name="M")
    drain_outbox()
    return article


def test_a_backfill_takes_out_what_nobody_claims(
    published: Article, feed_of: Any, ada: User, grace: User
) -> None:
    rows = [Article, Comment, Opinion, Member]
    for model in rows:  # as if they were other models now: nothing of the rows is left under the old names
        model._base_manager.all()._raw_delete("default")  # noqa: SLF001
    forget_the_names()
    OutboxEntry.objects.all().delete()

    told = run("stream_backfill")

    assert "formerly.Article: tracked no longer, 1 taken out" in told
    assert "formerly.Opinion#reaction: tracked no longer, 1 taken out" in told
    assert feed_of("user", ada) == feed_of("user", grace) == feed_of("timeline", grace) == []
    left = set(Publication.objects.values_list("model_label", flat=True))
    assert left == {"formerly.Subscription#follow"}
    assert not OutboxEntry.objects.exists()


def test_what_is_published_under_the_new_name_is_there_once(
    published: Article, feed_of: Any, ada: User
) -> None:
    forget_the_names()
    run("stream_backfill")
    run("stream_sync")
    assert [entry["foreign_id"] for entry in feed_of("user", ada)] == [f"testapp.Article:{published.pk}"]
    assert not Publication.objects.filter(model_label__startswith="formerly.").exists()
    assert "no longer" not in run("stream_sync")


def test_follows_are_taken_out_by_sync(published: Article, feed_of: Any, grace: User) -> None:
    assert len(feed_of("timeline", grace)) == 1
    Subscription._base_manager.all()._raw_delete("default")  # noqa: SLF001
    forget_the_names()
    assert "formerly.Subscription#follow: tracked no longer, 1 taken out" in run("stream_sync")
    assert feed_of("timeline", grace) == []


def test_what_was_published_under_the_new_name_before_stays(
    published: Article, feed_of: Any, grace: User
) -> None:
    forget_the_names()
    for row in (*Subscription.objects.all(), *Member.objects.all()):
        row.save()
    drain_outbox()

    run("stream_backfill")
    run("stream_sync")
    drain_outbox()

    assert not Publication.objects.filter(model_label__startswith="formerly.").exists()
    assert len(feed_of("timeline", grace)) == 1
    assert get_client().users.get(user_id_of(Member.objects.get()))["data"] == {"name": "M"}


def test_follows_under_an_addition_to_their_label_are_taken_out(published: Article, grace: User) -> None:
    Publication.objects.filter(model_label="testapp.Subscription#follow").update(
        model_label="formerly.Subscription#follow:reader,writer"
    )
    assert "formerly.Subscription#follow:reader,writer: tracked no longer, 1" in run("stream_sync")


def test_only_whole_backfills_do_so_and_only_those_that_drain(published: Article) -> None:
    forget_the_names()
    assert "no longer" not in run("stream_backfill", "testapp.Article")
    assert "run this without --no-drain" in run("stream_backfill", "--no-drain")
    assert Publication.objects.filter(model_label="formerly.Comment").exists()


def test_nothing_stays_registered(published: Article) -> None:
    before = publishers()
    forget_the_names()
    run("stream_backfill")
    assert publishers() == before

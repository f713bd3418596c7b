"""Rows whose owners a router keeps in another database, and databases that lack our tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from django_stream.activities.checks.databases import check_databases
from django_stream.models import OutboxEntry
from django_stream.publishing.publisher import publisher_for
from django_stream.testing import drain_outbox
from tests.testapp.models import Article, Subscription, Tag

pytestmark = pytest.mark.django_db(databases=["default", "other"])


class Apart:
    """Users live in one database, and what they write in the other."""

    ours = True

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "other" if model._meta.app_label == "testapp" else "default"

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return self.db_for_read(model)

    def allow_relation(self, *rows: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        if app_label == "django_stream":
            return self.ours
        return (db == "other") == (app_label == "testapp")


class WithoutOurs(Apart):
    ours = False


@pytest.fixture
def apart(settings: Any, ada: User, grace: User) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.Apart"]
    # SQLite checks keys to other tables of its own database when the test ends.
    for user in (ada, grace):
        User(pk=user.pk, username=f"a copy of {user.username}").save(using="other")


FeedOf = Callable[..., list[dict[str, Any]]]


def test_an_actor_in_another_database_is_read_there(
    apart: None, ada: User, grace: User, feed_of: FeedOf
) -> None:
    Tag.objects.create(name="t", user=ada)
    Article.objects.create(author=ada, editor=grace, title="one")
    Subscription.objects.create(reader=grace, writer=ada)

    assert drain_outbox("other").published == 3
    assert len(feed_of("timeline", grace)) == 2
    (article,) = (one for one in feed_of("user", ada) if one["verb"] == "publish")
    assert (article["actor"], article["target"]) == (f"auth.User:{ada.pk}", f"auth.User:{grace.pk}")
    assert article["author_username"] == "ada"


def test_rows_of_one_database_are_joined_there(ada: User, django_assert_num_queries: Any) -> None:
    article = Article.objects.create(author=ada, title="one")
    publisher = publisher_for("testapp.Article")
    assert publisher is not None
    with django_assert_num_queries(2):  # and one for the recipients
        publisher.desired([str(article.pk)], "default")


def test_a_database_without_our_tables_is_refused(settings: Any) -> None:
    assert check_databases() == []
    settings.DATABASE_ROUTERS = [f"{__name__}.Apart"]
    assert check_databases() == []
    settings.DATABASE_ROUTERS = [f"{__name__}.WithoutOurs"]
    problems = {problem.obj: problem for problem in check_databases()}

    assert problems[Tag].id == "django_stream.E021"
    assert "'other'" in problems[Tag].msg
    assert "--database other" in str(problems[Tag].hint)
    assert OutboxEntry not in problems

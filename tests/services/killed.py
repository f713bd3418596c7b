"""A command that is killed with -9 before its n-th statement: `python -m tests.services.killed N COMMAND …`.

Other words than a number: `fill` makes rows that were there before the app, `drift` breaks what the feeds
hold, `later` is the moment at which every lease has run out.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import django

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
AUTHORS, ARTICLES = 12, 15


def fill() -> None:
    from django.contrib.auth.models import User

    from django_stream.tracking import activities_paused
    from tests.testapp.models import Article, Opinion, Subscription

    users = [User.objects.create(username=f"u{number}") for number in range(AUTHORS)]
    with activities_paused():
        for number in range(ARTICLES):
            Article.objects.bulk_create(
                Article(author=user, title=f"{number}", published_at=START + timedelta(minutes=number))
                for user in users
            )
        articles = list(Article.objects.order_by("pk")[:40])
        Opinion.objects.bulk_create(
            Opinion(user=users[one.pk % AUTHORS], article=one, text="fine") for one in articles
        )
        Subscription.objects.bulk_create(
            Subscription(reader=reader, writer=writer)
            for place, reader in enumerate(users)
            for writer in users[place + 1 : place + 4]
        )


def drift() -> None:
    """Part of the activities, follows and rows are not what they should be."""
    from django_stream.backends import get_client
    from django_stream.tracking import activities_paused
    from tests.testapp.models import Article, Subscription

    client = get_client()
    for article in Article.objects.order_by("pk")[:90:2]:
        client.feed("user", article.author_id).remove_activity(foreign_id=f"testapp.Article:{article.pk}")
    for follow in Subscription.objects.order_by("pk")[::3]:
        client.feed("timeline", follow.reader_id).unfollow("user", follow.writer_id)
        client.feed("timeline", follow.writer_id).follow("user", follow.reader_id)
    with activities_paused():
        changed = Article.objects.filter(
            pk__in=list(Article.objects.order_by("-pk")[:60].values_list("pk", flat=True))
        )
        changed.filter(title="14").update(title="changed")
        changed.filter(title="13").update(is_public=False)
        Article.objects.filter(title="12")._raw_delete("default")  # noqa: SLF001


def later() -> None:
    from django_stream.models import OutboxEntry, Publication
    from django_stream.tracking import drain

    Publication.objects.exclude(leased_until=None).update(leased_until=START)
    OutboxEntry.objects.update(due_at=START)
    drain()


@contextmanager
def killed_before(number: int) -> Iterator[None]:
    """Counts what goes to the database, inside of the server too."""
    from django.db import connection

    left = number

    def count(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*args)

    with connection.execute_wrapper(count):
        yield


def main() -> None:
    django.setup()
    from django.core.management import call_command

    word, *command = sys.argv[1:]
    if word in ("fill", "drift", "later"):
        {"fill": fill, "drift": drift, "later": later}[word]()
        return
    with killed_before(int(word)):
        call_command(*command, "--json")


if __name__ == "__main__":
    main()

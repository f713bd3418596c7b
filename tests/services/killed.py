"""Commands that are killed with -9 before their n-th statement: `python -m tests.services.killed`.

It reads orders, a line of JSON each, and does each in a child process of its own, as soon as the one before
has ended: what all share is imported once. It answers with the exit code.

The words of an order are a number and a command, or one of these: `migrate`; `fill` makes rows that were
there before the app; `person` makes somebody who has done everything; `drift` breaks what the feeds hold;
`later` is the moment at which every lease has run out; `compare` and `search` look at what is there.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
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


def person() -> None:
    from tests.person import somebody_who_did_everything

    somebody_who_did_everything().delete()


def search() -> None:
    """Where that person is still found."""
    from django.core.files.storage import default_storage

    from tests.person import found

    print(json.dumps(sorted(found(default_storage))))


def compare() -> None:
    from tests.services.comparison import compare

    print(json.dumps(compare()))


def migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


WORDS = (compare, drift, fill, later, migrate, person, search)


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


def do(words: list[str]) -> None:
    from django.core.management import call_command

    word, *command = words
    for one in WORDS:
        if one.__name__ == word:
            one()
            return
    with killed_before(int(word)):
        call_command(*command, "--json")


def child(words: list[str], output: str, database: str, media: str) -> int:
    """Do one order on a database of its own; returns the exit code."""
    from django.conf import settings
    from django.core.management import CommandError
    from django.db import connection, connections

    from django_stream.wakeup import waker

    with Path(output).open("w") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    connection.settings_dict["NAME"] = database
    settings.MEDIA_ROOT = media
    try:
        do(words)
        waker.flush(10)
    except CommandError as error:
        print(error)
        return error.returncode
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        connections.close_all()
        sys.stdout.flush()
    return 0


def main() -> None:
    django.setup()
    import tests.person
    import tests.services.comparison  # noqa: F401

    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            # Nothing of what the parent has open is closed by a child.
            os._exit(child(**json.loads(line)))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    main()

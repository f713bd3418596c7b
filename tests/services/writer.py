"""One writer: random saves, edits and deletes in transactions, some of which are rolled back.

    python -m tests.services.writer --seed 7:0 --operations 2500 [--dies]

Prints what it did as one line of JSON. With `--dies` the work is done by children which are killed,
one after the other, between a commit and its nudge.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import django

_DEATHS = 20
_START = datetime(2026, 1, 31, tzinfo=UTC)


class RolledBack(Exception):
    """Somebody changes their mind."""


class Writer:
    """Acts at random on rows that other writers act on as well."""

    def __init__(self, seed: str) -> None:
        self.dice = random.Random(seed)
        self.name = seed
        self.users: list[int] = []
        self.counts: Counter[str] = Counter()

    def write(self, operations: int) -> None:
        from django.db import DatabaseError, InterfaceError, connection

        until = self.counts["operations"] + operations
        while self.counts["operations"] < until:
            try:
                self.transaction()
            except RolledBack:
                pass
            except (DatabaseError, InterfaceError) as error:
                # Deadlocks, rows that are gone, a server that restarts: rolled back, or nobody knows.
                self.counts[type(error).__name__] += 1
                if connection.connection is None or not connection.is_usable():
                    connection.close()
                    Event().wait(0.1)

    def transaction(self) -> None:
        from django.db import transaction

        done = Counter[str]()
        try:
            with transaction.atomic():
                for _ in range(self.dice.randint(1, 4)):
                    self.one_operation(done)
                if self.dice.random() < 0.1:
                    raise RolledBack
        except RolledBack:
            self.counts["rolled back"] += done.total()
            raise
        self.counts["operations"] += done.total()
        self.counts += done

    def one_operation(self, done: Counter[str]) -> None:
        from django.db import transaction

        operations, weights = zip(*_OPERATIONS.items(), strict=True)
        (operation,) = self.dice.choices(operations, weights)
        if self.dice.random() > 0.1:
            operation(self, done)
            return
        aside = Counter[str]()
        try:
            with transaction.atomic():
                operation(self, aside)
                raise RolledBack
        except RolledBack:
            self.counts["rolled back"] += aside.total()

    # What is done; each counts the rows it saves, edits or deletes.

    def user(self) -> int:
        from django.contrib.auth.models import User

        self.users = self.users or list(User.objects.order_by("pk").values_list("pk", flat=True))
        return self.dice.choice(self.users)

    def moment(self) -> datetime:
        return _START + timedelta(microseconds=self.dice.randrange(10**13))

    def any_row(self, model: Any) -> Any:
        """Some row, or None."""
        pks = model.objects.order_by("pk")
        offset = self.dice.randrange(max(1, pks.count()))
        return pks[offset : offset + 1].first()

    def publish(self, done: Counter[str]) -> None:
        from tests.testapp.models import Article

        article = Article.objects.create(author_id=self.user(), title="new", published_at=self.moment())
        if self.dice.random() < 0.3:
            article.mentioned.set([self.user(), self.user()])
        done["saves"] += 1

    def publish_many(self, done: Counter[str]) -> None:
        from tests.testapp.models import Article

        rows = [
            Article(author_id=self.user(), title="one of many", published_at=self.moment()) for _ in range(10)
        ]
        done["saves"] += len(Article.objects.bulk_create(rows))

    def tag(self, done: Counter[str]) -> None:
        from tests.testapp.models import Tag

        Tag(name=f"{self.name}:{self.dice.random()}", user_id=self.user()).save()
        done["saves"] += 1

    def comment(self, done: Counter[str]) -> None:
        from tests.testapp.models import Article, Comment

        if article := self.any_row(Article):
            Comment.objects.create(article=article, user_id=self.user(), text="hm")
            done["saves"] += 1

    def edit(self, done: Counter[str]) -> None:
        from tests.testapp.models import Article

        if article := self.any_row(Article):
            change = self.dice.choice(("title", "title", "author", "time", "switch", "mention"))
            if change == "title":
                article.title = f"edited {self.dice.random()}"
            elif change == "author":
                article.author_id = self.user()
            elif change == "time":
                article.published_at = self.moment()
            elif change == "switch":
                article.is_public = not article.is_public
            else:
                article.mentioned.set([self.user()])
            article.save(force_update=True)
            done["edits"] += 1

    def edit_many(self, done: Counter[str]) -> None:
        from tests.testapp.models import Article

        if article := self.any_row(Article):
            some = Article.objects.filter(pk__gte=article.pk, pk__lt=article.pk + 12)
            if self.dice.random() < 0.5:
                done["edits"] += some.update(title=f"updated {self.dice.random()}")
            else:
                rows = list(some)
                for row in rows:
                    row.title = f"updated in bulk {self.dice.random()}"
                done["edits"] += Article.objects.bulk_update(rows, ["title"])

    def delete(self, done: Counter[str]) -> None:
        from tests.testapp.models import Article, Comment, Tag

        if row := self.any_row(self.dice.choice((Article, Comment, Tag))):
            row.delete()
            done["deletes"] += 1

    def delete_many(self, done: Counter[str]) -> None:
        from tests.testapp.models import Article

        if article := self.any_row(Article):
            some = Article.objects.filter(pk__gte=article.pk, pk__lt=article.pk + 6)
            done["deletes"] += some.delete()[1].get("testapp.Article", 0)

    def follow(self, done: Counter[str]) -> None:
        from tests.testapp.models import Subscription

        Subscription.objects.create(reader_id=self.user(), writer_id=self.user())
        done["saves"] += 1

    def follow_somebody_else(self, done: Counter[str]) -> None:
        from tests.testapp.models import Subscription

        if row := self.any_row(Subscription):
            row.writer_id = self.user()
            row.save(force_update=True)
            done["edits"] += 1

    def unfollow(self, done: Counter[str]) -> None:
        from tests.testapp.models import Subscription

        if row := self.any_row(Subscription):
            row.delete()
            done["deletes"] += 1


_OPERATIONS = {
    Writer.publish: 18,
    Writer.publish_many: 3,
    Writer.tag: 8,
    Writer.comment: 10,
    Writer.edit: 36,
    Writer.edit_many: 5,
    Writer.delete: 11,
    Writer.delete_many: 2,
    Writer.follow: 4,
    Writer.follow_somebody_else: 1,
    Writer.unfollow: 4,
}


def write_and_die(seed: str, operations: int) -> Counter[str]:
    """Children do the work; each ends after a commit and before its nudge."""
    from django.db import transaction

    counts: Counter[str] = Counter()
    for life in range(_DEATHS):
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            writer = Writer(f"{seed}:{life}")
            writer.write(operations // _DEATHS)
            os.write(writing, json.dumps(writer.counts).encode())
            with transaction.atomic():
                # The first to run after the commit; the nudge would be the second.
                transaction.on_commit(lambda: os.kill(os.getpid(), signal.SIGKILL))
                writer.publish(Counter())
        os.close(writing)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL, status
        with os.fdopen(reading) as report:
            counts += Counter(json.load(report))
        counts["killed"] += 1
    return counts


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", required=True)
    parser.add_argument("--operations", type=int, required=True)
    parser.add_argument("--dies", action="store_true")
    options = parser.parse_args()
    django.setup()
    from tests.services import celery_app

    celery_app.app.set_default()
    if options.dies:
        counts = write_and_die(options.seed, options.operations)
    else:
        writer = Writer(options.seed)
        writer.write(options.operations)
        counts = writer.counts
    print(json.dumps(counts))


if __name__ == "__main__":
    main()

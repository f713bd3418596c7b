"""Whatever is done to the rows, and whenever and however badly they are drained: feeds equal tables."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as run_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from django_stream.client.exceptions import ConnectionFailed
from django_stream.models import OutboxEntry, Publication
from django_stream.publishing.capture import reconcile
from django_stream.tracking import drain
from tests.expected_feeds import check_feeds, objects_there
from tests.faults import BreakingTransport, Step, after, before, client_over
from tests.testapp.models import Article, Club, Comment, Media, Opinion, Reading, Subscription, Tag, Video
from tests.testapp.shop import Bookmark, Introduction, Product, Review, Vote

pytestmark = [pytest.mark.django_db, pytest.mark.tables]

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
LOST = ConnectionFailed("the line is dead")
which = st.integers(0, 5)
"""Chooses among however many rows there are."""
moments = st.integers(0, 4).map(lambda hours: START + timedelta(hours=hours, microseconds=7 * hours))
names = st.sampled_from(["a", "b:c", "d e/é"])


def make_site() -> None:
    """Something for every rule to act on from the first step on, and in the feeds already."""
    users = [User.objects.create(username=name) for name in "abc"]
    for author, reader, editor in zip(users, users[1:] + users[:1], users[2:] + users[:2], strict=True):
        article = Article.objects.create(author=author, editor=editor, title="a", published_at=START)
        article.mentioned.add(reader)
        Opinion.objects.create(user=reader, article=article, text="fine")
        Comment.objects.create(user=reader, article=article, created_at=START)
        Subscription.objects.create(reader=author, writer=reader)
        product = Product.objects.create(owner=author, title="a")
        review = Review.objects.create(user=reader, product=product, written_at=START)
        Vote.objects.create(user=editor, review=review)
        Introduction.objects.create(reader=author, first=reader, second=editor)
        Bookmark.objects.create(user=author, thing=reader)
    # Clubs have the keys of users, and feeds of their own.
    Club.objects.create(pk=users[0].pk).watched.add(*users[:2])
    drain()


class Rows(RuleBasedStateMachine):
    """What happens to a site, its outbox and its feeds; all of it is rolled back at the end."""

    def __init__(self) -> None:
        super().__init__()
        self.outside = transaction.atomic()
        self.outside.__enter__()
        self.savepoints: list[transaction.Atomic] = []
        self.now = timezone.now()
        self.users = set(User.objects.values_list("pk", flat=True))
        self.clubs = {f"testapp-club-{pk}" for pk in Club.objects.values_list("pk", flat=True)}

    def row(self, model: Any, number: int) -> Any:
        rows = list(model.objects.order_by("pk"))
        return rows[number % len(rows)] if rows else None

    # People come and go.

    @rule()
    def join(self) -> None:
        self.users.add(User.objects.create(username=str(uuid.uuid4())).pk)

    @precondition(lambda self: User.objects.count() > 2)
    @rule(number=which, many=st.booleans())
    def leave(self, number: int, many: bool) -> None:
        user = self.row(User, number)
        (User.objects.filter(pk=user.pk) if many else user).delete()

    @precondition(lambda self: User.objects.count() < len(self.users))
    @rule(number=which)
    def come_back(self, number: int) -> None:
        """Somebody else gets a primary key that was free again."""
        free = sorted(self.users - set(User.objects.values_list("pk", flat=True)))
        User.objects.create(pk=free[number % len(free)], username=str(uuid.uuid4()))

    # Single rows.

    @rule(author=which, moment=moments, public=st.booleans())
    def publish(self, author: int, moment: datetime, public: bool) -> None:
        author = self.row(User, author)
        Article.objects.create(author=author, title="new", published_at=moment, is_public=public)

    @rule(number=which, other=which, moment=moments, title=names)
    def edit(self, number: int, other: int, moment: datetime, title: str) -> None:
        if article := self.row(Article, number):
            article.title, article.author, article.published_at = title, self.row(User, other), moment
            article.save()

    @precondition(lambda self: Article.objects.exists())
    @rule(number=which, author=which, moment=moments)
    def replace(self, number: int, author: int, moment: datetime) -> None:
        article = self.row(Article, number)
        pk, author = article.pk, self.row(User, author)
        article.delete()
        Article.objects.create(pk=pk, author=author, title="another", published_at=moment)

    @rule(number=which, editor=which)
    def hand_over(self, number: int, editor: int) -> None:
        if article := self.row(Article, number):
            article.editor = self.row(User, editor)
            article.save()

    @rule(number=which, title=names)
    def edit_some_fields(self, number: int, title: str) -> None:
        if article := self.row(Article, number):
            article.title = title
            article.save(update_fields=["title"])

    @rule(number=which)
    def switch(self, number: int) -> None:
        if article := self.row(Article, number):
            article.is_public = not article.is_public
            article.save()

    @rule(number=which, users=st.lists(which, max_size=2))
    def mention(self, number: int, users: list[int]) -> None:
        if article := self.row(Article, number):
            article.mentioned.set([self.row(User, user) for user in users])

    @rule(number=which, user=which)
    def be_mentioned(self, number: int, user: int) -> None:
        if article := self.row(Article, number):
            self.row(User, user).mentions.add(article)

    @rule(user=which)
    def be_forgotten(self, user: int) -> None:
        self.row(User, user).mentions.clear()

    @rule(user=which, number=which)
    def comment_and_read(self, user: int, number: int) -> None:
        if article := self.row(Article, number):
            Comment.objects.create(user=self.row(User, user), article=article, created_at=START)
            Reading.objects.get_or_create(
                reader=self.row(User, user), article=article, defaults={"created_at": START}
            )

    @rule(user=which, number=which)
    def opine(self, user: int, number: int) -> None:
        if article := self.row(Article, number):
            Opinion.objects.create(user=self.row(User, user), article=article, text="fine")

    @rule(number=which, other=which, text=names)
    def change_opinion(self, number: int, other: int, text: str) -> None:
        if opinion := self.row(Opinion, number):
            opinion.text, opinion.article = text, self.row(Article, other)
            opinion.save()

    @rule(user=which, name=names, moment=moments)
    def tag(self, user: int, name: str, moment: datetime) -> None:
        Tag(name=name, user=self.row(User, user), created_at=moment).save()

    @rule(user=which, moment=moments)
    def film(self, user: int, moment: datetime) -> None:
        Video.objects.create(user=self.row(User, user), created_at=moment)

    @rule(model=st.sampled_from([Article, Club, Comment, Opinion, Reading, Tag, Video]), number=which)
    def delete(self, model: Any, number: int) -> None:
        if row := self.row(model, number):
            row.delete()

    # Many rows at once.

    @rule(author=which, moment=moments)
    def publish_many(self, author: int, moment: datetime) -> None:
        author = self.row(User, author)
        Article.objects.bulk_create(
            Article(author=author, title=str(n), published_at=moment) for n in range(3)
        )

    @rule(title=names, user=which)
    def edit_many(self, title: str, user: int) -> None:
        rows = list(Article.objects.filter(is_public=True))
        for row in rows:
            row.title, row.author = title, self.row(User, user)
        Article.objects.bulk_update(rows, ["title", "author"])

    @rule(title=names, user=which, public=st.booleans())
    def update(self, title: str, user: int, public: bool) -> None:
        Article.objects.filter(title=title).update(author=self.row(User, user), is_public=public)

    @rule(title=names)
    def delete_many(self, title: str) -> None:
        Article.objects.filter(title=title).delete()

    # Follows.

    @rule(reader=which, writer=which)
    def follow(self, reader: int, writer: int) -> None:
        Subscription.objects.create(reader=self.row(User, reader), writer=self.row(User, writer))

    @rule(number=which, writers=st.lists(which, min_size=1, max_size=2))
    def follow_others(self, number: int, writers: list[int]) -> None:
        if row := self.row(Subscription, number):
            for writer in writers:
                row.writer = self.row(User, writer)
                row.save()

    @rule(reader=which, writer=which)
    def all_follow_one(self, reader: int, writer: int) -> None:
        Subscription.objects.filter(reader=self.row(User, reader)).update(writer=self.row(User, writer))

    @rule(number=which)
    def unfollow(self, number: int) -> None:
        if row := self.row(Subscription, number):
            row.delete()

    @rule(number=which, users=st.lists(which, max_size=2))
    def watch(self, number: int, users: list[int]) -> None:
        club, _ = Club.objects.get_or_create(pk=self.row(User, number).pk)
        club.watched.set([self.row(User, user) for user in users])
        self.clubs.add(f"testapp-club-{club.pk}")

    # Rows that are not ours, without mixins: registered.

    @rule(user=which, number=which, moment=moments, approved=st.booleans())
    def review(self, user: int, number: int, moment: datetime, approved: bool) -> None:
        product = self.row(Product, number) or Product.objects.create(title="b")
        Review.objects.create(
            user=self.row(User, user), product=product, approved=approved, written_at=moment
        )

    @rule(number=which, user=which, moment=moments, approved=st.booleans())
    def change_review(self, number: int, user: int, moment: datetime, approved: bool) -> None:
        if review := self.row(Review, number):
            review.approved, review.user, review.written_at = approved, self.row(User, user), moment
            review.save()

    @rule(number=which, user=which)
    def sell(self, number: int, user: int) -> None:
        """Reviews look at the owner of their product."""
        if product := self.row(Product, number):
            product.owner = self.row(User, user)
            product.save()

    @rule(user=which, number=which, counts=st.booleans())
    def vote(self, user: int, number: int, counts: bool) -> None:
        if review := self.row(Review, number):
            Vote.objects.create(user=self.row(User, user), review=review, counts=counts)

    @rule(number=which, other=which, counts=st.booleans())
    def change_vote(self, number: int, other: int, counts: bool) -> None:
        if vote := self.row(Vote, number):
            vote.review, vote.counts = self.row(Review, other), counts
            vote.save()

    @rule(reader=which, first=which, second=which)
    def introduce(self, reader: int, first: int, second: int) -> None:
        Introduction.objects.create(
            reader=self.row(User, reader), first=self.row(User, first), second=self.row(User, second)
        )

    @rule(number=which, first=which, second=which)
    def introduce_others(self, number: int, first: int, second: int) -> None:
        if row := self.row(Introduction, number):
            row.first, row.second = self.row(User, first), self.row(User, second)
            row.save()

    @rule(user=which, number=which, thing=st.sampled_from([User, Club]))
    def mark(self, user: int, number: int, thing: Any) -> None:
        if target := self.row(thing, number):
            Bookmark.objects.create(user=self.row(User, user), thing=target)

    @rule(number=which, deleted=st.booleans())
    def unmark(self, number: int, deleted: bool) -> None:
        if row := self.row(Bookmark, number):
            row.deleted = deleted
            row.save()

    @rule(model=st.sampled_from([Bookmark, Introduction, Product, Review, Vote]), number=which)
    def delete_another(self, model: Any, number: int) -> None:
        if row := self.row(model, number):
            row.delete()

    # Keys that change.

    @rule(number=which, name=st.sampled_from(["x", "y", "z:"]))
    def rename_tag(self, number: int, name: str) -> None:
        if (tag := self.row(Tag, number)) and not Tag.objects.filter(name=name).exists():
            Tag.objects.filter(pk=tag.pk).update(name=name)

    @rule(number=which, user=which)
    def hand_on_reading(self, number: int, user: int) -> None:
        if row := self.row(Reading, number):
            reader = self.row(User, user)
            if not Reading.objects.filter(reader=reader, article=row.article_id).exists():
                Reading.objects.filter(pk=row.pk).update(reader=reader)

    @precondition(lambda self: connection.features.can_defer_constraint_checks)
    @rule(number=which)
    def move_article(self, number: int) -> None:
        """To another primary key, and all that refers to it along with it."""
        if article := self.row(Article, number):
            moved = Article.objects.order_by("pk").last().pk + 100_000  # no sequence comes there
            with transaction.atomic():
                Article.objects.filter(pk=article.pk).update(id=moved)
                for model in (Comment, Opinion, Reading):
                    model.objects.filter(article_id=article.pk).update(article_id=moved)
                links = Article.mentioned.through.objects.filter(article_id=article.pk)
                links.update(article_id=moved)

    # Savepoints.

    @precondition(lambda self: len(self.savepoints) < 2)
    @rule()
    def begin(self) -> None:
        self.savepoints.append(transaction.atomic())
        self.savepoints[-1].__enter__()

    @precondition(lambda self: self.savepoints)
    @rule()
    def keep(self) -> None:
        self.savepoints.pop().__exit__(None, None, None)

    @precondition(lambda self: self.savepoints)
    @rule()
    def roll_back(self) -> None:
        self.savepoints.pop().__exit__(ZeroDivisionError, ZeroDivisionError(), None)

    # Drains see only what is committed: they run outside of savepoints.

    @precondition(lambda self: not self.savepoints)
    @rule()
    def drain_now(self) -> None:
        drain(clock=lambda: self.now)

    @precondition(lambda self: not self.savepoints)
    @rule(
        kind=st.sampled_from([before, after]),
        failure=st.sampled_from([LOST, KeyboardInterrupt()]),
        good=st.integers(0, 4),
    )
    def drain_badly(self, kind: Callable[[BaseException], Step], failure: BaseException, good: int) -> None:
        steps: list[Step] = [lambda request, go_on: go_on()] * good
        client = client_over(BreakingTransport(*steps, kind(failure)))
        try:
            drain(client=client, clock=lambda: self.now)
        except KeyboardInterrupt:
            """The worker is killed."""

    @rule(minutes=st.sampled_from([1, 6, 180]))
    def wait(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    # What this is about.

    @precondition(lambda self: not self.savepoints)
    @rule()
    def feeds_equal_tables(self) -> None:
        for _ in range(3):
            self.wait(180)
            drain(clock=lambda: self.now)
        assert list(OutboxEntry.objects.all()) == []
        check_feeds(self.users | self.clubs)
        assert Publication.objects.filter(lease=None, attempts=0).count() == objects_there()
        assert Publication.objects.count() == objects_there()

    def teardown(self) -> None:
        try:
            while self.savepoints:
                self.keep()
            self.feeds_equal_tables()
        finally:
            transaction.set_rollback(True)
            self.outside.__exit__(None, None, None)


class CapturedRows(Rows):
    """The same where triggers note the changes: also those that pass by Django."""

    @rule(title=names, user=which, public=st.booleans())
    def write_sql(self, title: str, user: int, public: bool) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE testapp_article SET author_id = %s, is_public = %s WHERE title = %s",
                [self.row(User, user).pk, public, title],
            )

    @rule(number=which, model=st.sampled_from([Comment, Opinion, Reading, Subscription]))
    def delete_silently(self, number: int, model: Any) -> None:
        rows = QuerySet(model)
        if row := self.row(model, number):
            rows.filter(pk=row.pk)._raw_delete(connection.alias)  # noqa: SLF001

    @rule(number=which, user=which, approved=st.booleans())
    def change_many_of_others(self, number: int, user: int, approved: bool) -> None:
        Review.objects.filter(user=self.row(User, user)).update(approved=approved)
        Vote.objects.filter(user=self.row(User, user)).update(counts=approved)
        Introduction.objects.filter(first=self.row(User, user)).update(second=self.row(User, number))
        Bookmark.objects.filter(user=self.row(User, user)).update(deleted=approved)
        Product.objects.filter(owner=self.row(User, user)).update(owner=self.row(User, number))

    @precondition(lambda self: connection.features.can_defer_constraint_checks)
    @rule(number=which)
    def move_user(self, number: int) -> None:
        """Whose key changes owns other feeds."""
        user = self.row(User, number)
        moved = max(self.users) + 100_000  # no sequence comes there
        with transaction.atomic():
            User.objects.filter(pk=user.pk).update(id=moved)
            for relation in User._meta.get_fields(include_hidden=True):
                if relation.one_to_many or relation.one_to_one:
                    name, rows = relation.field.attname, QuerySet(relation.related_model)
                    rows.filter(**{name: user.pk}).update(**{name: moved})
            Bookmark.objects.filter(content_type__model="user", object_id=user.pk).update(object_id=moved)
        self.users.add(moved)

    @rule(user=which, number=which)
    def insert_silently(self, user: int, number: int) -> None:
        if article := self.row(Article, number):
            comment = Comment(user=self.row(User, user), article=article, created_at=START)
            QuerySet(Comment).bulk_create([comment])

    @rule(number=which, moment=moments)
    def change_the_parent_silently(self, number: int, moment: datetime) -> None:
        if video := self.row(Video, number):
            QuerySet(Media).filter(pk=video.pk).update(created_at=moment)


@pytest.mark.parametrize("rows", [Rows, CapturedRows])
def test_feeds_equal_tables_after_any_history(rows: type[Rows], settings: Any) -> None:
    if rows is CapturedRows:
        settings.STREAM_CAPTURE = "database"
        reconcile(connection.alias)
    make_site()
    run_state_machine_as_test(
        rows,
        settings=run_settings(
            max_examples=10,
            stateful_step_count=30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

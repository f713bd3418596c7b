"""Rows that are about to be published cannot change behind the back of whoever notes or settles them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from django_stream.activities import follow_rows, reaction_rows
from django_stream.activities.declaration import ActivityDeclaration
from django_stream.activities.kinds import ACTIVITIES
from django_stream.activities.publishers.reactions import ReactionPublisher
from django_stream.activities.registry import _start
from django_stream.models import OutboxEntry, Publication
from django_stream.operations.persons import tables
from django_stream.protocol.persons import Person
from django_stream.publishing import ledger
from django_stream.publishing.leases import Lease, claim
from django_stream.publishing.ledger import LeasedObject
from django_stream.publishing.nudge import nudges_held
from django_stream.publishing.publisher import publisher_for, publishers_of, register_publisher
from django_stream.tracking import drain
from tests.db.locks.interleaving import meet
from tests.testapp.models import Article, Comment, Subscription, Tag
from tests.testapp.watched import Cheer

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("row_locks"),
]


@pytest.fixture
def follow(ada: User, grace: User) -> Subscription:
    with nudges_held():
        return Subscription.objects.create(reader=grace, writer=ada)


def updates(**fields: Any) -> Callable[[], Any]:
    def update() -> int:
        with nudges_held():
            return Subscription.objects.filter(pk__gt=0).update(**fields)

    return update


def test_rows_of_an_update_stay_as_they_are_once_they_are_noted(follow: Subscription, make_user: Any) -> None:
    third = make_user("third")
    meeting = meet(updates(writer=third), 'UPDATE "testapp_subscription"', updates(reader=third))
    assert meeting.waited
    assert (meeting.first, meeting.second) == (1, 1)


def test_rows_of_a_deletion_stay_as_they_are_once_they_are_noted(
    follow: Subscription, make_user: Any
) -> None:
    def delete() -> Any:
        with nudges_held():
            return Subscription.objects.all().delete()

    meeting = meet(delete, 'DELETE FROM "testapp_subscription"', updates(reader=make_user("third")))
    assert meeting.waited
    assert meeting.second == 0


def test_who_reacts_twice_at_the_same_moment_has_reacted_once(ada: User) -> None:
    with nudges_held():
        article = Article.objects.create(author=ada, title="first")
    [publisher] = [one for one in publishers_of(Cheer) if isinstance(one, ReactionPublisher)]

    def react() -> bool:
        with nudges_held():
            return reaction_rows.react(publisher, ada, article, {})[1]

    meeting = meet(react, 'INSERT INTO "testapp_cheer"', react)
    assert (meeting.first, meeting.second, Cheer.objects.count()) == (True, False, 1)


def test_a_watched_row_stays_as_it_was_seen_until_it_is_saved(ada: User) -> None:
    """Else who writes back an old value would not see that it changes the one written meanwhile."""
    with nudges_held():
        article = Article.objects.create(author=ada, title="first")
        # As `watch` in a declaration does.
        before = publisher_for("testapp.Comment")
        _start(ACTIVITIES.registered(Comment, ActivityDeclaration(watch=["user", "article.is_public"])))
    assert before is not None

    def save() -> None:
        with nudges_held(), transaction.atomic():
            article.save()

    def hide() -> None:
        with nudges_held():
            Article.objects.filter(pk=article.pk).update(is_public=False)

    try:
        assert meet(save, 'UPDATE "testapp_article"', hide).waited
    finally:
        register_publisher(before)


def test_a_follow_that_is_taken_back_does_not_become_a_block_meanwhile(
    follow: Subscription, make_user: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STREAM_FOLLOW_MODEL = "testapp.Subscription"
    (publisher,) = publishers_of(Subscription)
    monkeypatch.setattr(
        publisher, "declaration", replace(publisher.declaration, should_publish=lambda row: True)
    )

    def take_back() -> None:
        with nudges_held():
            follow_rows.unfollow(follow.reader, follow.writer)

    # What is read next after the condition was asked.
    asked = r'(SELECT|DELETE).* WHERE "testapp_subscription"."id" IN|(SELECT|DELETE).*"id" = '
    meeting = meet(take_back, asked, updates(reader=make_user("third")))
    assert meeting.waited
    assert meeting.second == 0


def test_of_two_who_follow_the_same_at_once_one_makes_the_row(ada: User, grace: User, settings: Any) -> None:
    settings.STREAM_FOLLOW_MODEL = "testapp.Subscription"

    def follows() -> None:
        with nudges_held():
            follow_rows.follow(grace, ada)

    assert meet(follows, 'INSERT INTO "testapp_subscription"', follows).waited
    assert Subscription.objects.count() == 1


def test_the_pair_of_a_saved_follow_stays_as_it_was_read(follow: Subscription, make_user: Any) -> None:
    third = make_user("third")

    def save() -> None:
        follow.writer = third
        with nudges_held():
            follow.save()

    assert meet(save, 'UPDATE "testapp_subscription"', updates(reader=third)).waited


def test_nobody_begins_to_refer_to_a_row_that_goes(ada: User, grace: User) -> None:
    with nudges_held():
        article = Article.objects.create(author=ada, title="one")

    def refer() -> None:
        with nudges_held(), transaction.atomic():
            Article.objects.filter(pk=article.pk).update(editor=grace)

    def delete() -> None:
        with nudges_held():
            grace.delete()

    # Before the row itself is touched: its fast deletes come first.
    meeting = meet(delete, 'DELETE FROM "auth_user_groups"', lambda: _refused(refer))
    assert meeting.waited
    assert meeting.second == "IntegrityError"


def _refused(work: Callable[[], None]) -> str:
    try:
        work()
    except Exception as error:
        return type(error).__name__
    return ""


def _claimed(minutes: int = 0) -> list[str]:
    lease = claim("default", timezone.now() + timedelta(minutes=minutes), 100)
    return sorted(lease.objects["testapp.Tag"]) if isinstance(lease, Lease) else []


def test_two_who_claim_at_once_do_not_wait_and_share_nothing(ada: User) -> None:
    with nudges_held():
        Tag.objects.create(name="a", user=ada)
    meeting = meet(_claimed, f'(?s).*INTO "{Publication._meta.db_table}"', _claimed)
    assert not meeting.waited
    assert (meeting.first, meeting.second) == (["a"], [])


@pytest.mark.parametrize(
    "statement",
    [f'UPDATE "{Publication._meta.db_table}"', f'DELETE FROM "{OutboxEntry._meta.db_table}"'],
    ids=["intent", "settlement"],
)
def test_who_claims_and_who_still_holds_the_lease_do_not_both_publish(ada: User, statement: str) -> None:
    """The lease has run out, but its worker is about to write what it sends, or how that ended.

    One statement looks whose the lease is and writes: who claims comes before it or after it.
    """
    with nudges_held():
        Tag.objects.create(name="a", user=ada)
        Tag.objects.create(name="b", user=ada)
    published = lambda: drain().published  # noqa: E731
    meeting = meet(published, statement, lambda: _claimed(minutes=60))
    # Entries are skipped that somebody is deleting; elsewhere also those whose ledger is locked.
    assert meeting.second in ([], ["a", "b"])
    assert meeting.first == 2 - len(meeting.second)
    assert Tag.objects.count() == 2


def test_who_claims_waits_for_who_opens_the_ledger_again(ada: User) -> None:
    """Otherwise the new lease would be written over by what was read before it."""
    with nudges_held():
        Tag.objects.create(name="a", user=ada)
    Publication.objects.create(model_label="testapp.Tag", object_key="a")
    sent = LeasedObject(0, "a", [{"feed": "user:1"}], "", 1)

    def reopen() -> None:
        with transaction.atomic():
            ledger.reopen("testapp.Tag", [sent], "default")

    meeting = meet(reopen, f'UPDATE "{Publication._meta.db_table}"', _claimed)
    assert meeting.waited
    assert meeting.second == ["a"]
    row = Publication.objects.get()
    assert (row.records, row.attempts) == (sent.records, 2)
    assert row.lease is not None


@pytest.fixture
def published(ada: User) -> Callable[[], int]:
    """An object is known to be in the feed of ada; what erases her from the ledger."""
    feed = f"user:{ada.pk}"
    Publication.objects.create(model_label="testapp.Tag", object_key="a", records=[{"feed": feed}])
    person = Person(frozenset(), frozenset(), frozenset([feed]))
    return lambda: tables.erase_ledger(person, "default")


def test_what_is_erased_from_the_ledger_is_claimed_by_nobody_meanwhile(
    ada: User, published: Callable[[], int]
) -> None:
    """Who claims has the entry first and then the ledger: else each would wait for the other."""
    with nudges_held():
        Tag.objects.create(name="a", user=ada)
    meeting = meet(published, f'DELETE FROM "{OutboxEntry._meta.db_table}"', _claimed)
    assert not meeting.waited
    assert (meeting.first, meeting.second) == (1, [])


def test_what_changes_while_it_is_erased_from_the_ledger_is_claimed_after_that(
    ada: User, published: Callable[[], int]
) -> None:
    """Else the row would go with the new lease in it.

    Where the two meet in a deadlock, as on MariaDB, the row stays, since who claims has it by then.
    """

    def change() -> list[str]:
        with nudges_held():
            Tag.objects.create(name="a", user=ada)
        return _claimed()

    meeting = meet(published, f'DELETE FROM "{Publication._meta.db_table}"', change)
    assert meeting.waited
    assert meeting.second == ["a"]
    assert Publication.objects.get().lease is not None

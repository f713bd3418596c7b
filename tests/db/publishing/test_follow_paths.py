"""Follows whose owners stand in other tables: `followed = "product.owner"`, and conditions on such rows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as run_settings
from hypothesis import strategies as st

from django_stream.activities.checks.models import check_tracked_models
from django_stream.activities.publishers.follow_records import send_follows
from django_stream.client.exceptions import InputException
from django_stream.feeds import feed_manager
from django_stream.models import OutboxEntry, Publication
from django_stream.publishing import capture
from django_stream.publishing.publisher import Change, Desired, publishers
from django_stream.tracking import drain, register_blocks
from tests.testapp.models import Fan, Subscription
from tests.testapp.shop import Alert, Introduction, Product, Review, Vote

pytestmark = [pytest.mark.django_db, pytest.mark.tables]


@pytest.fixture
def owners(declare: Callable[..., None]) -> None:
    """Who wants to hear of a product follows its owner."""
    declare("testapp.Alert", follower="user", followed="product.owner")


def people_followed_by(user: User) -> set[str]:
    report = drain()
    assert (report.failed, report.parked) == (0, 0), [*OutboxEntry.objects.values_list("reason", flat=True)]
    assert not OutboxEntry.objects.exists()
    found = feed_manager.get_feed("timeline", user).following(limit=100)["results"]
    return {one["target_id"] for one in found if "product" not in one["target_id"]}


@pytest.fixture
def eva(make_user: Callable[[str], User]) -> User:
    return make_user("eva")


def save(product: Product, owner: User | None) -> None:
    product.owner = owner
    product.save()


def update(product: Product, owner: User | None) -> None:
    Product.objects.filter(pk=product.pk).update(owner=owner)


@pytest.mark.usefixtures("owners")
@pytest.mark.parametrize("change", [save, update])
def test_who_is_followed_changes_with_the_row_on_the_way(
    change: Callable[..., None], ada: User, grace: User, eva: User
) -> None:
    product = Product.objects.create(owner=grace)
    Alert.objects.create(user=ada, product=product)
    assert people_followed_by(ada) == {f"user:{grace.pk}"}

    change(product, eva)
    assert people_followed_by(ada) == {f"user:{eva.pk}"}
    change(product, None)
    assert people_followed_by(ada) == set()
    change(product, grace)
    assert people_followed_by(ada) == {f"user:{grace.pk}"}


@pytest.mark.usefixtures("owners")
def test_another_line_of_the_same_meaning_keeps_the_follow(ada: User, grace: User, eva: User) -> None:
    lamp, chair = (Product.objects.create(owner=grace) for _ in range(2))
    for product in (lamp, chair):
        Alert.objects.create(user=ada, product=product)
    assert people_followed_by(ada) == {f"user:{grace.pk}"}

    save(lamp, eva)
    assert people_followed_by(ada) == {f"user:{grace.pk}", f"user:{eva.pk}"}
    Alert.objects.filter(product=chair).delete()
    assert people_followed_by(ada) == {f"user:{eva.pk}"}


@pytest.mark.usefixtures("owners")
def test_two_lines_that_change_places_in_one_batch_lose_nothing(ada: User, grace: User, eva: User) -> None:
    lamp, chair = Product.objects.create(owner=grace), Product.objects.create(owner=eva)
    for product in (lamp, chair):
        Alert.objects.create(user=ada, product=product)
    both = {f"user:{grace.pk}", f"user:{eva.pk}"}
    assert people_followed_by(ada) == both

    save(lamp, eva)
    save(chair, grace)
    assert people_followed_by(ada) == both


@pytest.mark.usefixtures("owners")
def test_rows_of_another_table_mean_the_same_pair(ada: User, grace: User, eva: User) -> None:
    product = Product.objects.create(owner=grace)
    alert = Alert.objects.create(user=ada, product=product)
    row = Subscription.objects.create(reader=ada, writer=grace)
    assert people_followed_by(ada) == {f"user:{grace.pk}"}

    save(product, eva)
    assert people_followed_by(ada) == {f"user:{grace.pk}", f"user:{eva.pk}"}, "the subscription says so"
    save(product, grace)
    people_followed_by(ada)
    row.delete()
    assert people_followed_by(ada) == {f"user:{grace.pk}"}, "the alert says so"
    alert.delete()
    assert people_followed_by(ada) == set()
    assert not Publication.objects.filter(model_label__startswith="testapp.Alert").exists()


def test_both_ends_over_paths_of_any_length(
    declare: Callable[..., None], ada: User, grace: User, eva: User
) -> None:
    declare("testapp.Vote", follower="review.user", followed="review.product.owner")
    product = Product.objects.create(owner=grace)
    review = Review.objects.create(user=ada, product=product)
    Vote.objects.create(user=eva, review=review)
    assert people_followed_by(ada) == {f"user:{grace.pk}"}

    Product.objects.update(owner=eva)
    assert people_followed_by(ada) == {f"user:{eva.pk}"}
    other = Product.objects.create(owner=grace)
    review.product = other
    review.save()
    assert people_followed_by(ada) == {f"user:{grace.pk}"}
    review.user = eva
    review.save()
    assert people_followed_by(ada) == set()
    assert people_followed_by(eva) == {f"user:{grace.pk}"}
    other.delete()
    assert people_followed_by(eva) == set()


@pytest.mark.usefixtures("owners")
@pytest.mark.parametrize("many", [True, False])
def test_an_owner_who_is_deleted_is_followed_no_more(many: bool, ada: User, grace: User) -> None:
    product = Product.objects.create(owner=grace)
    Alert.objects.create(user=ada, product=product)
    people_followed_by(ada)

    (User.objects.filter(pk=grace.pk) if many else grace).delete()

    assert people_followed_by(ada) == set()


def test_a_condition_on_another_row_is_seen_without_republish(ada: User, grace: User) -> None:
    """`should_publish = "product.on_sale"` of the alerts."""
    product = Product.objects.create(owner=grace, on_sale=False)
    Alert.objects.create(user=ada, product=product)

    def follows() -> bool:
        drain()
        return bool(feed_manager.get_feed("timeline", ada).following()["results"])

    assert not follows()
    product.on_sale = True
    product.save()
    assert follows()
    Product.objects.update(on_sale=False)
    assert not follows()


def test_triggers_see_the_row_on_the_way(
    declare: Callable[..., None], ada: User, grace: User, eva: User
) -> None:
    declare("testapp.Alert", follower="user", followed="product.owner", capture="database")
    capture.reconcile(connection.alias)
    product = Product.objects.create(owner=grace)
    Alert.objects.create(user=ada, product=product)
    assert people_followed_by(ada) == {f"user:{grace.pk}"}

    plain = models.QuerySet(Product).filter(pk=product.pk)
    plain.update(title="another")
    assert not OutboxEntry.objects.exists()
    plain.update(owner=eva)
    assert people_followed_by(ada) == {f"user:{eva.pk}"}


@pytest.mark.usefixtures("owners")
def test_verify_and_repair_know_such_rows(ada: User, grace: User, eva: User) -> None:
    products = [Product.objects.create(owner=grace) for _ in range(2)]
    for product in products:
        Alert.objects.create(user=ada, product=product)
    people_followed_by(ada)
    call_command("stream_verify", quiet=True)

    models.QuerySet(Product).filter(pk=products[0].pk).update(owner=eva)
    with pytest.raises(CommandError, match="2 differences"):
        call_command("stream_verify", quiet=True)
    call_command("stream_repair", quiet=True)
    assert people_followed_by(ada) == {f"user:{grace.pk}", f"user:{eva.pk}"}

    models.QuerySet(Product).update(owner=eva)
    call_command("stream_sync", prune=True, all=True, quiet=True)
    assert people_followed_by(ada) == {f"user:{eva.pk}"}


@pytest.mark.usefixtures("owners")
def test_what_a_follow_says_besides_is_not_deleted_by_a_block(
    ada: User, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    Alert.objects.create(user=ada, product=Product.objects.create(owner=grace))
    Subscription.objects.create(reader=ada, writer=grace)
    monkeypatch.setattr("django_stream.activities.relations._relations", {})
    register_blocks("testapp.Introduction", by="reader", of="first")
    try:
        Introduction.objects.create(reader=ada, first=grace, second=grace)
    finally:
        register_blocks("testapp.Introduction", by="reader", of="first", unfollow=False)

    assert (Alert.objects.count(), Subscription.objects.count()) == (1, 0)


def test_a_path_over_anything_but_foreign_keys_is_refused(declare: Callable[..., None]) -> None:
    declare("testapp.Alert", follower="user", followed="product.title")
    declare("testapp.Alert", follower="user.username", followed="product")
    declare("testapp.Vote", follower="user", followed="review.product.reviews")
    found = {(one.id, one.msg) for one in check_tracked_models() if one.obj in (Alert, Vote)}
    assert {id for id, _ in found} == {"django_stream.E006", "django_stream.E007"}, found
    assert len(found) == 3


indexes = st.integers(0, 2)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("alert"), indexes, indexes),
        st.tuples(st.just("forget"), indexes, indexes),
        st.tuples(st.just("owner"), indexes, st.one_of(st.none(), indexes)),
        st.tuples(st.just("owner by update"), indexes, indexes),
        st.tuples(st.just("subscribe"), indexes, indexes),
        st.tuples(st.just("unsubscribe"), indexes, indexes),
        st.tuples(st.just("move"), indexes, indexes),
        st.tuples(st.just("drain"), indexes, indexes),
    ),
    max_size=25,
)


@pytest.mark.usefixtures("owners")
@run_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_whatever_is_done_the_feeds_follow_whom_the_rows_lead_to(steps: list[Any]) -> None:
    for model in (Alert, Subscription, Product, User):
        model.objects.all().delete()
    drain()
    users = [User.objects.create(username=name) for name in "abc"]
    products = [Product.objects.create(owner=user) for user in users]
    for what, one, other in steps:
        _act(what, users, products, one, other)

    for user in users:
        wanted = {f"user:{pk}" for pk in _followed(user)}
        assert people_followed_by(user) == wanted


def _followed(user: User) -> set[Any]:
    owners = Alert.objects.filter(user=user).values_list("product__owner", flat=True)
    writers = Subscription.objects.filter(reader=user).values_list("writer", flat=True)
    return {*owners, *writers} - {None}


def _act(what: str, users: list[User], products: list[Product], one: int, other: Any) -> None:
    match what:
        case "alert":
            Alert.objects.create(user=users[one], product=products[other])
        case "forget":
            Alert.objects.filter(user=users[one], product=products[other]).delete()
        case "owner":
            save(products[one], None if other is None else users[other])
        case "owner by update":
            update(products[one], users[other])
        case "subscribe":
            Subscription.objects.create(reader=users[one], writer=users[other])
        case "unsubscribe":
            Subscription.objects.filter(reader=users[one], writer=users[other]).delete()
        case "move":
            for alert in Alert.objects.filter(user=users[one])[:1]:
                alert.product = products[other]
                alert.save()
        case "drain":
            drain()


@pytest.mark.usefixtures("owners")
def test_where_the_table_of_a_path_is_not_others_end_their_follows(
    ada: User, grace: User, take_away: Callable[[Any], None]
) -> None:
    row = Subscription.objects.create(reader=ada, writer=grace)
    assert people_followed_by(ada) == {f"user:{grace.pk}"}
    take_away(Alert)

    row.delete()
    assert people_followed_by(ada) == set()


@pytest.mark.usefixtures("owners")
def test_keys_that_the_end_of_a_path_cannot_hold_mean_nothing_there(ada: User, grace: User) -> None:
    Alert.objects.create(user=ada, product=Product.objects.create(owner=grace))
    (one,) = (one for one in publishers() if one.model is Alert and getattr(one, "is_path", False))
    pairs = [((User, str(ada.pk)), (User, key)) for key in ("no number", str(grace.pk))]
    assert len(one.keys_meaning(pairs, "default")) == 1


@pytest.mark.usefixtures("owners")
def test_rows_of_other_pairs_are_not_read(ada: User, make_user: Callable[[str], User]) -> None:
    people = [make_user(f"person{number}") for number in range(8)]
    products = [Product.objects.create(owner=person) for person in people]
    Alert.objects.bulk_create(Alert(user=user, product=product) for user in people for product in products)
    (one,) = (one for one in publishers() if one.model is Alert and getattr(one, "is_path", False))
    pairs = [((User, str(a.pk)), (User, str(b.pk))) for a, b in pairwise(people)]

    with CaptureQueriesContext(connection) as captured:
        assert len(one.keys_meaning(pairs, "default")) == len(pairs)

    query = next(asked["sql"] for asked in captured if Alert._meta.db_table in asked["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({query[query.index('SELECT') :]}) asked")
        assert cursor.fetchone() == (len(pairs),)


def test_a_follow_that_was_refused_does_not_keep_another_key_s_unfollow_back() -> None:
    pair = {"source": "timeline:1", "target": "user:2"}

    class Refusing:
        ended: list[object] = []

        def follow_many(self, follows: object, copy_limit: int) -> None:
            raise InputException("no")

        def unfollow_many(self, follows: list[object]) -> None:
            self.ended += follows

    client: Any = Refusing()
    begins = Change("begins", [], Desired([pair]), confirmed=False)
    ends = Change("ends", [pair], None, confirmed=True)

    assert set(send_follows(client, [begins, ends])) == {"begins"}
    assert client.ended == [pair]


def test_a_condition_that_triggers_do_not_reach_keeps_nobody_from_following(
    declare: Callable[..., None], ada: User
) -> None:
    """Over a key that is not to a primary key; at the ends of the follow it would be an error."""
    declare("testapp.Fan", should_publish="follower.is_active", capture="database")
    (one,) = (one for one in publishers() if one.model is Fan and one.declaration.should_publish)
    assert [noted.table for noted in one.noted_tables("default")] == [Fan._meta.db_table]

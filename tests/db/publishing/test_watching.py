"""What is read is watched: every way of changing a row, with every way of reading it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.db import connection, models
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext, isolate_apps

from django_stream.activities.declaration import ActivityDeclaration
from django_stream.activities.kinds import ACTIVITIES, COLLECTIONS, FOLLOWS
from django_stream.activities.publishers.follows import FollowDeclaration
from django_stream.activities.publishers.mirrors import MirrorDeclaration
from django_stream.activities.registry import _start
from django_stream.backends import get_client
from django_stream.client.exceptions import DoesNotExistException
from django_stream.database.bulk_sql import conflicts_on
from django_stream.models import Publication
from django_stream.publishing import receivers
from django_stream.publishing.publisher import unregister_publisher
from django_stream.testing import drain_outbox
from tests.testapp.models import Article, Cheer, Gauge, Media, Member, Reading, Subscription, Tag, Video

pytestmark = [pytest.mark.django_db, pytest.mark.tables]

FeedOf = Callable[..., list[dict[str, Any]]]


def _verb(row: Any) -> str:
    return f"level-{row.level}"


READINGS = {
    "column": ({"extra": ["level"]}, lambda entry: entry["level"]),
    "callable verb": ({"verb": _verb}, lambda entry: int(entry["verb"].partition("-")[2])),
    "generated column": ({"extra": ["twice"]}, lambda entry: entry["twice"] // 2),
    "property": ({"extra": ["thrice"]}, lambda entry: entry["thrice"] // 3),
    "callable target": ({"target": lambda row: str(row.level)}, lambda entry: int(entry["target"])),
}


def save(row: Any) -> None:
    row.level = 7
    row.save()


def save_one_field(row: Any) -> None:
    row.level = 7
    row.save(update_fields=["level"])


def update(row: Any) -> None:
    Gauge.objects.filter(pk=row.pk).update(level=7)


def update_by_expression(row: Any) -> None:
    Gauge.objects.filter(pk=row.pk).update(level=F("level") + 6)


def bulk_update(row: Any) -> None:
    row.level = 7
    Gauge.objects.bulk_update([row], ["level"])


def upsert(row: Any) -> None:
    row.level = 7
    Gauge.objects.bulk_create([row], update_fields=["level"], **conflicts_on(["id"], "default"))


def revert(row: Any) -> None:
    old = serializers.serialize("json", [row]).replace('"level": 1', '"level": 7')
    (found,) = serializers.deserialize("json", old)
    found.save()


CHANGES = [save, save_one_field, update, update_by_expression, bulk_update, upsert, revert]


@pytest.fixture(params=READINGS)
def reading(request: pytest.FixtureRequest) -> Iterator[Callable[[Any], int]]:
    options, read = READINGS[request.param]
    publisher = ACTIVITIES.registered(Gauge, ActivityDeclaration(**options))
    _start(publisher)
    yield read
    unregister_publisher(publisher)


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_seen_by_every_way_of_reading(
    change: Callable[[Any], None], reading: Callable[[Any], int], ada: User, feed_of: FeedOf
) -> None:
    row = Gauge.objects.create(user=ada)
    drain_outbox()
    assert [reading(entry) for entry in feed_of("user", ada)] == [1]

    change(Gauge.objects.get(pk=row.pk))
    drain_outbox()

    assert [reading(entry) for entry in feed_of("user", ada)] == [7]


def test_what_reads_one_column_is_left_alone_by_the_others(ada: User) -> None:
    publisher = ACTIVITIES.registered(Gauge, ActivityDeclaration(extra=["level"], watch=["level"]))
    assert not publisher.matters({"created_at"})
    assert publisher.matters({"id"})


KEYS = {
    "value": lambda: {"name": "new"},
    "expression": lambda: {"name": Concat(F("name"), Value("-new"))},
}


@pytest.mark.parametrize("values", KEYS.values(), ids=KEYS)
def test_a_primary_key_that_update_changes_is_a_new_row(values: Any, ada: User, feed_of: FeedOf) -> None:
    Tag.objects.create(name="old", user=ada)
    Tag.objects.create(name="other", user=ada)
    drain_outbox()

    Tag.objects.filter(name="old").update(**values())
    drain_outbox()

    expected = {f"testapp.Tag:{name}" for name in Tag.objects.values_list("name", flat=True)}
    assert "testapp.Tag:old" not in expected
    assert {entry["foreign_id"] for entry in feed_of("user", ada)} == expected


@pytest.mark.parametrize("by_instance", [True, False])
def test_so_is_a_part_of_a_composite_key(by_instance: bool, ada: User, grace: User, feed_of: FeedOf) -> None:
    article = Article.objects.create(author=ada)
    Reading.objects.create(reader=grace, article=article)
    drain_outbox()
    eva = User.objects.create_user("eva")

    Reading.objects.filter(reader=grace).update(**({"reader": eva} if by_instance else {"reader_id": eva.pk}))
    drain_outbox()

    assert feed_of("user", grace) == []
    (entry,) = feed_of("user", eva)
    assert str(eva.pk) in entry["foreign_id"]
    assert not Publication.objects.filter(object_key__contains=f'"{grace.pk}"').exists()


def test_so_is_the_key_of_a_mirrored_row() -> None:
    Member.objects.create(email="old", name="Ada")
    drain_outbox()

    Member.objects.update(email="new")
    drain_outbox()

    names = set(
        Publication.objects.filter(model_label="testapp.Member#user").values_list("object_key", flat=True)
    )
    assert names == {"new"}


def test_a_parent_that_stays_is_published_as_itself(ada: User, feed_of: FeedOf) -> None:
    video = Video.objects.create(user=ada)
    drain_outbox()
    assert [entry["verb"] for entry in feed_of("user", ada)] == ["film"]

    video.delete(keep_parents=True)
    drain_outbox()

    assert [entry["verb"] for entry in feed_of("user", ada)] == ["media"]


def test_a_child_that_is_made_with_its_parent_costs_one_entry(ada: User) -> None:
    with CaptureQueriesContext(connection) as statements:
        Video.objects.create(user=ada)
    noted = [one["sql"] for one in statements if "INSERT INTO" in one["sql"] and "outboxentry" in one["sql"]]
    assert len(noted) == 1


@pytest.mark.parametrize("raw", [True, False])
def test_a_parent_that_becomes_a_child_is_published_as_that(raw: bool, ada: User, feed_of: FeedOf) -> None:
    media = Media.objects.create(user=ada)
    drain_outbox()

    video = Video(media_ptr=media, seconds=3)
    if raw:
        video.save_base(raw=True)
    else:
        video.__dict__.update(user_id=media.user_id, created_at=media.created_at)
        video.save()
    drain_outbox()

    assert [entry["verb"] for entry in feed_of("user", ada)] == ["film"]


def test_a_reverted_follow_leaves_no_other_follow_behind(ada: User, grace: User) -> None:
    eva = User.objects.create_user("eva")
    row = Subscription.objects.create(reader=ada, writer=grace)
    version = serializers.serialize("json", [row])
    row.writer = eva
    row.save()
    drain_outbox()

    (old,) = serializers.deserialize("json", version)
    old.save()
    drain_outbox()

    followed = get_client().feed("timeline", ada.pk).following()["results"]
    assert [one["target_id"] for one in followed] == [f"user:{grace.pk}"]


def test_a_reaction_by_a_generic_key_moves_with_its_activity(ada: User, grace: User) -> None:
    article = Article.objects.create(author=ada)
    Cheer.objects.create(user=grace, thing=article)
    drain_outbox()
    (before,) = Publication.objects.get(model_label="testapp.Cheer#reaction").records

    article.published_at = article.published_at.replace(year=2001)
    article.save()
    drain_outbox()

    (after,) = Publication.objects.get(model_label="testapp.Cheer#reaction").records
    assert after["activity_id"] != before["activity_id"]
    assert get_client().reactions.get(after["id"])["kind"] == "cheer"
    with pytest.raises(DoesNotExistException):
        get_client().reactions.get(before["id"])


class _Meta:
    app_label = "testapp"


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Models whose rows the database deletes itself, step by step."""
    cascade = models.DB_CASCADE  # type: ignore[attr-defined]
    with isolate_apps("tests.testapp") as apps:
        monkeypatch.setattr(receivers, "apps", apps)

        class Shelf(models.Model):
            Meta = _Meta

        class Box(models.Model):
            shelf = models.ForeignKey(Shelf, cascade)
            Meta = _Meta

        class Item(models.Model):
            user = models.ForeignKey(User, models.DO_NOTHING, related_name="+")
            box = models.ForeignKey(Box, cascade)
            created_at = models.DateTimeField(auto_now_add=True)
            Meta = _Meta

        class Wish(models.Model):
            fan = models.ForeignKey(User, models.DO_NOTHING, related_name="+")
            idol = models.ForeignKey(User, models.DO_NOTHING, related_name="+")
            box = models.ForeignKey(Box, cascade)
            Meta = _Meta

        made = (Shelf, Box, Item, Wish)
        publishers = (
            ACTIVITIES.registered(Item, ActivityDeclaration()),
            COLLECTIONS.registered(Item, MirrorDeclaration(("created_at",), "items")),
            FOLLOWS.registered(Wish, FollowDeclaration("fan", "idol")),
        )
        for publisher in publishers:
            _start(publisher)
        with connection.schema_editor() as editor:
            for model in made:
                editor.create_model(model)
        yield made
        with connection.schema_editor() as editor:
            for model in reversed(made):
                editor.delete_model(model)
        for publisher in publishers:
            unregister_publisher(publisher)


@pytest.mark.skipif(not hasattr(models, "DB_CASCADE"), reason="Django 6.1 and later")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("by_queryset", [True, False])
def test_rows_that_the_database_deletes_leave_the_feeds(
    steps: int, by_queryset: bool, boxes: Any, ada: User, grace: User, feed_of: FeedOf
) -> None:
    shelf_model, box_model, item, wish = boxes
    box = box_model.objects.create(shelf=shelf_model.objects.create())
    item.objects.create(user=ada, box=box)
    wish.objects.create(fan=grace, idol=ada, box=box)
    drain_outbox()
    assert len(feed_of("user", ada)) == len(feed_of("timeline", grace)) == 1

    row = box if steps == 1 else box.shelf
    (type(row).objects.filter(pk=row.pk) if by_queryset else row).delete()
    drain_outbox()

    assert not item.objects.exists()
    assert feed_of("user", ada) == feed_of("timeline", grace) == []
    assert get_client().feed("timeline", grace.pk).following()["results"] == []
    assert not Publication.objects.filter(model_label__startswith="testapp.Item").exists()

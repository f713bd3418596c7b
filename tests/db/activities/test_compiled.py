"""Rows say the same by functions made once as by their properties, whatever is declared."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, connection, models, transaction
from django.db.models.signals import post_init
from django.test import override_settings
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy
from hypothesis import HealthCheck, given
from hypothesis import settings as run_settings
from hypothesis import strategies as st

from django_stream.activities import compiled
from django_stream.activities.declaration import STREAM_DJANGO, ActivityDeclaration
from django_stream.activities.publishers.activities import ActivityPublisher
from django_stream.activities.representation import RegisteredActivity
from django_stream.backends import get_client
from django_stream.feeds import FeedManager
from django_stream.publishing.publisher import Desired, publishers
from tests.testapp.models import (
    Album,
    Article,
    Badge,
    Bookmark,
    Comment,
    Media,
    Moment,
    Note,
    Photo,
    Praise,
    Product,
    Quote,
    Reading,
    Review,
    Tag,
    Video,
)

pytestmark = pytest.mark.django_db

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
MOMENT = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Whatever(RuntimeError):
    """Raised by code of a model."""


def fails(row: object) -> Any:
    raise Whatever("this row does not say it")


def same(value: Any) -> Callable[[Any], Any]:
    """A callable of a declaration that answers the same for every row."""
    return lambda row: value


def fresh_user(row: object) -> User:
    return User(username="not saved")


def any_user(row: object) -> Any:
    return User.objects.order_by("pk").first()


def lazy_user(row: object) -> Any:
    return SimpleLazyObject(lambda: any_user(row))


def with_a_user(row: object) -> list[Any]:
    return [any_user(row), "topic:python", any_user(row)]


def with_a_feed(row: object) -> list[Any]:
    return [get_client().feed("topic", "x"), *with_a_user(row)]


def users_of(row: object) -> models.QuerySet[User]:
    return User.objects.order_by("pk")


ROWS: list[Any] = [fails, same(None), any_user, lazy_user, fresh_user, same("words"), same(""), same(7)]
TIMES: list[Any] = [
    same(MOMENT),
    same(MOMENT.replace(tzinfo=None, microsecond=7)),
    same(MOMENT.astimezone(timezone(timedelta(hours=-3)))),
    same(date(2026, 7, 1)),
    same(MOMENT.replace(year=1066)),
    same(MOMENT.replace(year=1582)),
    same(MOMENT.replace(year=5236)),
    same("2026-01-31"),
    same(None),
    fails,
]
RECIPIENTS: list[Any] = [
    with_a_user,
    with_a_feed,
    users_of,
    any_user,
    fails,
    same("topic:python"),
    same(["nonsense"]),
    same([7, None]),
    same(7),
    same(()),
    ["news:all", "topic:b"],
    [],
]
FLAGS: list[Any] = [True, False, same(1), same(None), fails]
PATHS: dict[type[models.Model], tuple[list[str], list[str]]] = {
    # Paths that may lead to rows, and those that lead to anything else.
    Article: (
        ["author", "editor", "comments.first", "mentioned.first"],
        [
            "author.username",
            "editor.username",
            "author.get_full_name",
            "title",
            "notes",
            "is_public",
            "pk",
            "comments",
            "mentioned",
        ],
    ),
    Comment: (["user", "article", "article.author", "article.editor"], ["text", "article.title", "user_id"]),
    Tag: (["user"], ["name", "user.username", "user.nothing.of.it"]),
    Reading: (["reader", "article"], ["article.title", "pk"]),
    Photo: (["owner"], ["id", "owner_id"]),
    Media: (["user", "video"], ["user.username"]),
    Video: (["user", "media_ptr"], ["seconds", "media_ptr_id"]),
    Bookmark: (["user", "thing", "content_type"], ["object_id", "content_type.name", "thing.pk", "deleted"]),
    Badge: (["user", "group"], ["group.name"]),
    Album: (["owner"], ["released", "price", "title"]),
    Product: (["owner"], ["title", "on_sale"]),
}
TIME_FIELDS = {Article: "published_at", Badge: "won_at"}


@st.composite
def declarations(draw: st.DrawFn) -> tuple[type[models.Model], ActivityDeclaration]:
    model = draw(st.sampled_from(list(PATHS)))
    rows, others = PATHS[model]
    row = st.sampled_from([*rows, *rows, *rows, *others, *ROWS])
    value = st.sampled_from([*rows, *others])
    recipients = st.sampled_from(
        [None, *rows, *others, *RECIPIENTS, *(["mentioned"] if model is Article else [])]
    )
    named = st.sampled_from(["to", "target", "time", "verb", *rows, *others])
    condition = st.sampled_from([None, None, *others, *[one for one in FLAGS if callable(one)]])
    verbs = [None, "say", "", same(None), same(gettext_lazy("like")), same(7), fails]
    has_time = any(field.name == "created_at" for field in model._meta.get_fields())
    times = [
        *([None] * 5 if has_time else []),
        *([TIME_FIELDS[model]] * 5 if model in TIME_FIELDS else []),
        *TIMES,
    ]
    made = ActivityDeclaration(
        actor=draw(row),
        verb=draw(st.sampled_from(verbs)),
        object=draw(st.none() | row),
        target=draw(st.none() | row),
        time=draw(st.sampled_from(times)),
        to=draw(recipients),
        to_only=draw(st.sampled_from([False, False, *FLAGS]) | value),
        notify_self=draw(st.booleans()),
        extra=draw(st.lists(named, max_size=3)),
        should_publish=draw(condition),
        feed=draw(st.sampled_from([None, None, "news"])),
        identity=draw(st.sampled_from([None, None, None, STREAM_DJANGO])),
    )
    return model, made


surroundings = st.fixed_dictionaries(
    {
        "USE_TZ": st.booleans(),
        "TIME_ZONE": st.sampled_from(["UTC", "Europe/Paris"]),
        "STREAM_USER_FEED": st.sampled_from(["user", "people"]),
        "STREAM_NOTIFICATION_FEED": st.sampled_from(["notification", "bell"]),
        "STREAM_CONTEXT_FEEDS": st.sampled_from(
            [(), ("object",), ("target", "model"), ("object", "target", "model")]
        ),
    }
)


def make_rows() -> None:
    """Rows of every model, and those in which something is missing."""
    ada, grace = (User.objects.create(username=name) for name in ("ada", "grace"))
    group = Group.objects.create(name="winners")
    for number, editor in enumerate([None, grace, ada]):
        article = Article.objects.create(author=ada, editor=editor, title="t", is_public=number != 1)
        article.mentioned.set([ada, grace][:number])
        Comment.objects.create(user=grace, article=article, text="c")
        Reading.objects.create(reader=ada, article=article)
        moment = Moment.objects.create(author=ada, at=editor)
        Quote.objects.create(user=ada, praise=Praise.objects.create(by=grace, moment=moment))
        product = Product.objects.create(owner=editor, title="p")
        Review.objects.create(user=ada, product=product, approved=number != 1)
        note = Note.objects.create(user=ada, private=number != 1)
        note.recipients.set([ada, grace][:number])
    for name in ("t", "b:c", "d e/é", "_b32_x", "7", "-"):
        Tag.objects.create(name=name, user=ada)
    Photo.objects.create(owner=ada)
    Media.objects.create(user=ada)
    Video.objects.create(user=grace, seconds=3)
    Badge.objects.create(user=ada, group=group)
    Album.objects.create(owner=ada, title="a", price=Decimal("1.50"), released=date(2026, 1, 1))
    for thing in (ada, article, Tag.objects.get(name="b:c"), Video.objects.get()):
        Bookmark.objects.create(user=ada, thing=thing)
    Bookmark.objects.create(user=ada, thing=ada, object_id=str(ada.pk + 10**6), deleted=True)


def outcome(say: Callable[[], Any]) -> Any:
    """What is said, in its order, or how that fails; without the addresses of objects in memory."""
    try:
        said = say()
        if isinstance(said, Exception):
            raise said
        told = said and (said.records, list(said.content.items()), said.problem)
    except Exception as error:
        told = (type(error), str(error), getattr(error, "__notes__", []))
    return _ADDRESS.sub("", repr(told))


def assert_the_same(publisher: ActivityPublisher) -> None:
    keys = list(publisher.keys_where(publisher.model._base_manager.all()))
    assert keys
    found: dict[str, Desired | Exception] = publisher.desired(keys, "default")
    for row in publisher._rows(keys, "default"):  # noqa: SLF001
        (key,) = publisher.keys_of(row)
        by_properties = outcome(lambda: publisher.desired_by(row))  # noqa: B023
        assert outcome(lambda: found.get(key)) == by_properties  # noqa: B023


def test_whatever_is_declared_is_said_as_the_properties_say_it() -> None:
    make_rows()

    @run_settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=100)
    @given(declarations(), surroundings)
    def check(declared: tuple[type[models.Model], ActivityDeclaration], around: dict[str, Any]) -> None:
        model, declaration = declared
        publisher = ActivityPublisher(model, declaration, lambda row: RegisteredActivity(row, declaration))
        with override_settings(**around):
            assert_the_same(publisher)

    check()


def _activity_publishers() -> list[ActivityPublisher]:
    return [one for one in publishers() if isinstance(one, ActivityPublisher)]


def test_models_say_the_same_by_either_way() -> None:
    make_rows()

    looked_at = [one for one in _activity_publishers() if one.model._base_manager.exists()]
    for publisher in looked_at:
        assert_the_same(publisher)
    assert {Article, Tag, Photo, Praise, Video, Note, Review} <= {one.model for one in looked_at}


AS_DECLARED = (Article, Comment, Tag, Reading, Media, Video, Badge, Album, Review, Note, Moment, Quote)


@pytest.mark.parametrize("model", AS_DECLARED, ids=lambda model: model.__name__)
def test_rows_that_are_as_declared_are_not_asked_for_properties(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_rows()
    (publisher,) = (one for one in _activity_publishers() if one.model is model)
    keys = list(publisher.keys_where(model._base_manager.all()))
    expected = publisher.desired(keys, "default")
    monkeypatch.setattr(compiled, "payload_of", fails)

    assert publisher.desired(keys, "default") == expected
    assert expected


READ_BY_COLUMNS = (Comment, Tag, Reading, Badge, Album, Quote, Review)


@pytest.mark.parametrize("model", READ_BY_COLUMNS, ids=lambda model: model.__name__)
def test_where_columns_tell_it_no_instance_is_made(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    make_rows()
    (publisher,) = (one for one in _activity_publishers() if one.model is model)
    keys = list(publisher.keys_where(model._base_manager.all()))
    rows = publisher._rows(keys, "default")  # noqa: SLF001
    said = {key: publisher.desired_by(row) for row in rows for key in publisher.keys_of(row)}
    expected = {key: one for key, one in said.items() if one is not None}
    monkeypatch.setattr(publisher, "_rows", fails)

    assert publisher.desired(keys, "default") == expected
    assert expected


def test_what_receivers_make_of_instances_is_said() -> None:
    make_rows()
    declaration = ActivityDeclaration(actor="author", time="published_at", extra=("title", "author.username"))
    publisher = ActivityPublisher(Article, declaration, lambda row: RegisteredActivity(row, declaration))

    keys = list(publisher.keys_where(Article.objects.all()))

    def louder(instance: Any, **_: Any) -> None:
        name = "title" if isinstance(instance, Article) else "username"
        setattr(instance, name, getattr(instance, name).upper())

    for model, said in ((Article, ("T", "ada")), (User, ("t", "ADA"))):
        post_init.connect(louder, sender=model)
        try:
            assert_the_same(publisher)
            (desired, *_) = publisher.desired(keys, "default").values()
        finally:
            post_init.disconnect(louder, sender=model)
        assert isinstance(desired, Desired)
        assert (desired.content["title"], desired.content["author_username"]) == said


def test_a_property_that_is_replaced_later_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    make_rows()
    (publisher,) = (one for one in _activity_publishers() if one.model is Tag)
    monkeypatch.setattr(Tag, "activity_verb", property(lambda row: f"tag {row.name}"))

    assert publisher.desired(["b:c"], "default")["b:c"].content["verb"] == "tag b:c"  # type: ignore[union-attr]


class Manager(FeedManager):
    """A project's own policy."""

    def get_recipients(self, instance: Any) -> list[str]:
        return [f"topic:{instance.activity_verb}"]


def test_policies_of_the_project_are_asked(settings: Any) -> None:
    make_rows()
    settings.STREAM_FEED_MANAGER_CLASS = f"{__name__}.Manager"

    for publisher in _activity_publishers():
        if publisher.model in AS_DECLARED:
            assert_the_same(publisher)
    (publisher,) = (one for one in _activity_publishers() if one.model is Tag)
    assert publisher.desired(["t"], "default")["t"].content["to"] == ["topic:tag"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "option", ["actor", "verb", "object", "target", "time", "to", "should_publish", "to_only"]
)
def test_a_statement_that_fails_is_not_run_twice(option: str) -> None:
    """Inside a transaction the second one would fail for another reason."""
    make_rows()
    ran = []

    def statement(row: object) -> None:
        ran.append(row)
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing_of_that_name")

    declaration = ActivityDeclaration(**{"actor": "user", option: statement})
    publisher = ActivityPublisher(Tag, declaration, lambda row: RegisteredActivity(row, declaration))
    with transaction.atomic():
        error = publisher.desired(["t"], "default")["t"]
        transaction.set_rollback(True)

    assert isinstance(error, DatabaseError)
    assert "nothing_of_that_name" in str(error)
    assert error.__notes__ == [
        f"Tag.activity_{'notify' if option == 'to' else option} raised {type(error).__name__}"
    ]
    assert len(ran) == 1

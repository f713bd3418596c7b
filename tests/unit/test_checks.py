"""Wrong declarations and settings are found at the start, with the field and the remedy."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import CheckMessage
from django.db import models
from django.test.utils import isolate_apps

from django_stream.activities.checks.models import _check_options, check_tracked_model, check_tracked_models
from django_stream.activities.checks.paths import check_paths
from django_stream.activities.kinds import ACTIVITIES, KINDS, REACTIONS
from django_stream.activities.publishers.follows import FollowDeclaration, FollowPublisher
from django_stream.activities.registry import Registration
from django_stream.activities.representation import PROPERTIES
from django_stream.checks import check_settings
from django_stream.models import ActivityMixin, CollectionMixin, FollowMixin, ReactionMixin
from django_stream.protocol.suggestions import did_you_mean
from django_stream.publishing.publisher import publishers_of
from django_stream.tracking import (
    register,
    register_collection,
    register_follows,
    register_reactions,
    register_users,
)
from tests.testapp.models import Article, Opinion, Subscription, Tag


@pytest.fixture(autouse=True)
def _alone() -> Any:
    with isolate_apps("tests.testapp"):
        yield


def of_options(model: type[Any]) -> list[CheckMessage]:
    """What is wrong with declared options, besides those that are missing."""
    about = {"django_stream.E001", "django_stream.E002", "django_stream.E003", "django_stream.W043"}
    return [problem for problem in check_tracked_model(model) if problem.id in about]


def test_a_field_that_does_not_exist_is_named_with_the_nearest_one() -> None:
    class Tweet(ActivityMixin, models.Model):
        class Meta:
            app_label = "testapp"

        author = models.CharField(max_length=10)
        created_at = models.DateTimeField()

        class Activity:
            actor = "auhtor"

    (problem,) = of_options(Tweet)

    assert problem.id == "django_stream.E002"
    assert problem.msg == "testapp.Tweet: Activity.actor names 'auhtor', which testapp.Tweet does not have."
    assert problem.hint == "Did you mean 'author'?"


def test_an_unknown_option_is_named_with_the_nearest_one() -> None:
    class Tweet(ActivityMixin, models.Model):
        class Meta:
            app_label = "testapp"

        class Activity:
            vreb = "tweet"

    (problem,) = of_options(Tweet)

    assert (problem.id, problem.hint) == ("django_stream.E001", "Did you mean 'verb'?")


def test_a_name_that_is_as_near_to_two_others_is_answered_with_both() -> None:
    valid = ["follower", "followed", "feed"]

    assert did_you_mean("following", valid) == "Did you mean 'follower' or 'followed'?"
    assert did_you_mean("folower", valid) == "Did you mean 'follower'?"
    assert did_you_mean("leader", valid) == "Valid names: follower, followed, feed."


def test_what_is_neither_path_nor_callable_is_refused() -> None:
    class Tweet(ActivityMixin, models.Model):
        class Meta:
            app_label = "testapp"

        class Activity:
            time = 7
            watch = ("txet",)

    assert [problem.id for problem in of_options(Tweet)] == [
        "django_stream.E003",
        "django_stream.E002",
    ]


def test_a_verb_is_a_text_and_a_further_field_has_a_name_of_its_own() -> None:
    class Tweet(ActivityMixin, models.Model):
        class Meta:
            app_label = "testapp"

        text = models.CharField(max_length=1)
        boss = models.ForeignKey("self", models.CASCADE)

        class Activity:
            verb = 7
            extra = ("text", "id", "boss.id")

    verb, extra = of_options(Tweet)

    assert (verb.id, verb.msg) == ("django_stream.E003", "testapp.Tweet: Activity.verb is 7.")
    assert verb.hint == "Give a text, or a callable that takes the instance."
    assert (extra.id, extra.msg) == (
        "django_stream.W043",
        "testapp.Tweet: Activity.extra names 'id', which the API fills in itself.",
    )


def test_defaults_that_have_no_field_must_be_declared() -> None:
    class Silent(ActivityMixin, models.Model):
        class Meta:
            app_label = "testapp"

    class Speaking(ActivityMixin, models.Model):
        class Meta:
            app_label = "testapp"

        @property
        def activity_actor_attr(self) -> Any:
            return None

        @property
        def activity_time(self) -> Any:
            return None

    assert [problem.id for problem in check_tracked_model(Silent)] == ["django_stream.E004"] * 2
    assert check_tracked_model(Speaking) == []


def test_a_text_is_no_list_and_a_class_nearly_named_so_is_named() -> None:
    class Tweet(ActivityMixin, models.Model):
        text = models.CharField(max_length=1)

        class Meta:
            app_label = "testapp"

        class Activity:
            extra = "text"

        class Follow:
            pass

    (problem,) = of_options(Tweet)
    assert (problem.id, problem.hint) == ("django_stream.E003", "It must be a list: ['text'].")
    (warning,) = (one for one in check_tracked_model(Tweet) if one.id == "django_stream.W041")
    assert (warning.id, warning.hint) == ("django_stream.W041", "Did you mean 'class Follows'?")


def test_what_was_registered_by_a_call_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Prize(models.Model):
        class Meta:
            app_label = "testapp"

    monkeypatch.setattr(
        "django_stream.activities.checks.models.registered",
        lambda: [Registration(ACTIVITIES, Prize, {"actr": "usr", "verb": "win"})],
    )

    assert [problem.id for problem in check_tracked_models()] == [
        "django_stream.W046",
        "django_stream.E001",
        "django_stream.E004",
        "django_stream.E004",
    ]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten, and nothing else is registered."""
    monkeypatch.setattr("django_stream.activities.registry._registered", {})
    monkeypatch.setattr("django_stream.activities.registry._shown", set())
    monkeypatch.setattr("django_stream.publishing.publisher._publishers", {})
    monkeypatch.setattr("django_stream.publishing.publisher._by_model", {})


def replaced() -> list[str]:
    found = [one for one in check_tracked_models() if one.id == "django_stream.E073"]
    assert all("record()" in str(one.hint) for one in found)
    return [one.msg.split(" is registered")[0] for one in found]


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("kind", ["activities", "reactions", "collections", "users", "follows"])
def test_a_second_declaration_of_a_model_is_an_error(kind: str) -> None:
    class Prize(models.Model):
        user = models.ForeignKey(User, models.CASCADE, related_name="+")
        giver = models.ForeignKey(User, models.CASCADE, related_name="+")

        class Meta:
            app_label = "testapp"

    call, first, second = {
        "activities": (register, {"verb": "win"}, {"verb": "give", "actor": "giver"}),
        "reactions": (register_reactions, {"activity": "user"}, {"activity": "user", "user": "giver"}),
        "collections": (register_collection, {"name": "a"}, {"name": "b"}),
        "users": (register_users, {"fields": ["user"]}, {"fields": ["giver"]}),
        "follows": (
            register_follows,
            {"follower": "user", "followed": "giver"},
            {"follower": "user", "followed": "giver", "should_publish": "giver"},
        ),
    }[kind]
    for _ in range(2):
        call(Prize, **first)
        assert replaced() == [], "the same again says nothing else"
    call(Prize, **second)
    assert replaced() == ["testapp.Prize"]
    call(Prize, **second)
    assert replaced() == ["testapp.Prize"], "and the first is not forgotten"


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("end", ["follower", "followed"])
@pytest.mark.parametrize("path", ["wishlist.lines", "wishlist.whose", lambda line: line.wishlist.owner])
def test_a_follow_over_what_no_query_can_follow_is_refused_in_both_ways(path: Any, end: str) -> None:
    """A line of a wish list whose owner is told by code, or over a relation to many."""

    class Wishlist(models.Model):
        owner = models.ForeignKey(User, models.CASCADE, related_name="+")
        whose = property(lambda row: row.owner)

        class Meta:
            app_label = "testapp"

    class Line(models.Model):
        wishlist = models.ForeignKey(Wishlist, models.CASCADE, related_name="lines")
        product = models.ForeignKey(User, models.CASCADE, related_name="+")

        class Meta:
            app_label = "testapp"

    class OwnLine(FollowMixin, models.Model):
        wishlist = models.ForeignKey(Wishlist, models.CASCADE, related_name="+")
        product = models.ForeignKey(User, models.CASCADE, related_name="+")

        class Meta:
            app_label = "testapp"

        class Follows:
            follower, followed = "product", "product"

    ends = {"follower": "product", "followed": "product", end: path}
    for name, value in ends.items():
        setattr(OwnLine.Follows, name, staticmethod(value) if callable(value) else value)
    register_follows(Line, **ends)

    problems = [*check_tracked_models(), *check_tracked_model(OwnLine)]
    found = [one for one in problems if one.id == "django_stream.E007"]

    assert {one.obj for one in found} == {Line, OwnLine}


@pytest.mark.usefixtures("registry")
def test_several_kinds_and_several_follows_of_one_model_are_none() -> None:
    class Prize(models.Model):
        user = models.ForeignKey(User, models.CASCADE, related_name="+")
        giver = models.ForeignKey(User, models.CASCADE, related_name="+")

        class Meta:
            app_label = "testapp"

    register(Prize, verb="win")
    register_collection(Prize, name="prizes")
    register_follows(Prize, follower="user", followed="giver")
    register_follows(Prize, follower="giver", followed="user")
    assert replaced() == []


@pytest.mark.usefixtures("registry")
def test_a_call_beside_the_models_own_declaration_is_an_error() -> None:
    class Prize(ActivityMixin, FollowMixin, models.Model):
        user = models.ForeignKey(User, models.CASCADE, related_name="+")
        giver = models.ForeignKey(User, models.CASCADE, related_name="+")
        created_at = models.DateTimeField()

        class Meta:
            app_label = "testapp"

        class Follows:
            follower, followed = "user", "giver"

    register_follows(Prize, follower="giver", followed="user")
    assert replaced() == []
    register(Prize, verb="win")
    register_follows(Prize, follower="user", followed="giver", should_publish="user")
    assert replaced() == ["testapp.Prize", "testapp.Prize"]


def test_a_model_that_is_not_there_is_not_to_be_followed(settings: Any) -> None:
    settings.STREAM_FOLLOWABLE = ("auth.Usr", "auth.User", "auth.group")
    found = [(one.id, one.hint) for one in check_settings()]
    assert found == [("django_stream.E074", "Did you mean 'auth.User'?")]


def test_a_manager_that_sees_no_bulk_operations_is_named() -> None:
    class Quiet(ActivityMixin, models.Model):
        user = models.CharField(max_length=1)
        created_at = models.DateTimeField()
        objects = models.Manager()

        class Meta:
            app_label = "testapp"

    assert [problem.id for problem in check_tracked_model(Quiet)] == ["django_stream.W040"]


def test_a_follow_model_names_two_fields_that_exist() -> None:
    class Fan(FollowMixin, models.Model):
        class Meta:
            app_label = "testapp"

        fan = models.CharField(max_length=1)
        idol = models.CharField(max_length=1)

        class Follows:
            follower = "fam"
            leader = "idol"

    problems = check_tracked_model(Fan)

    assert [problem.id for problem in problems] == [
        "django_stream.E005",
        "django_stream.E006",
        "django_stream.E006",
    ]
    assert problems[1].hint == "Did you mean 'fan'?"


@pytest.mark.parametrize(
    ("owner", "problem"),
    [
        ("keeper", None),
        ("shelf.keeper", None),
        ("keper", "django_stream.E006"),
        ("shelf", "django_stream.E023"),
        ("title", "django_stream.E023"),
        ("readers", "django_stream.E023"),
        ("keeper.username", "django_stream.E023"),
        (lambda row: row.keeper, "django_stream.E003"),
    ],
)
def test_the_owner_of_a_collection_is_a_user(owner: Any, problem: str | None) -> None:
    class Book(CollectionMixin, models.Model):
        class Meta:
            app_label = "testapp"

        title = models.CharField(max_length=1)
        shelf = models.ForeignKey("self", models.CASCADE)
        keeper = models.ForeignKey(User, models.CASCADE, related_name="+")
        readers = models.ManyToManyField(User, related_name="+")

        class Collection:
            fields = ("title",)

    Book.Collection.owner = owner if isinstance(owner, str) else staticmethod(owner)  # type: ignore[attr-defined]

    assert [one.id for one in check_tracked_model(Book)] == ([problem] if problem else [])


def test_what_should_lead_to_a_row_is_no_column_and_not_many() -> None:
    class Fan(FollowMixin, ReactionMixin, models.Model):
        class Meta:
            app_label = "testapp"

        fan = models.CharField(max_length=1)
        idols = models.ManyToManyField("self")
        boss = models.ForeignKey("self", models.CASCADE, related_name="staff")

        class Follows:
            follower = "fan"
            followed = "idols"

        class Reaction:
            activity = "boss.fan"
            user = "fan"

    class Friend(FollowMixin, models.Model):
        class Meta:
            app_label = "testapp"

        boss = models.ForeignKey("self", models.CASCADE, related_name="staff")

        class Follows:
            follower = "boss_id"
            followed = "staff"

    found = [*check_tracked_model(Fan), *check_tracked_model(Friend)]

    assert sorted((problem.id, problem.msg.partition(": ")[2]) for problem in found) == [
        ("django_stream.E007", "Follows.followed names 'idols', a ManyToManyField, which leads to no row."),
        ("django_stream.E007", "Follows.followed names 'staff', a ManyToOneRel, which leads to no row."),
        ("django_stream.E007", "Follows.follower names 'fan', a CharField, which leads to no row."),
        ("django_stream.E007", "Reaction.activity names 'boss.fan', a CharField, which leads to no row."),
    ]
    with pytest.raises(TypeError):  # which lets the site start, for the check to tell
        FollowPublisher(Friend, FollowDeclaration("boss", "staff"))


@pytest.mark.parametrize("path", ["text", "boss", "boss.text"])
def test_a_time_that_is_no_time_is_found(path: str) -> None:
    class Note(ActivityMixin, models.Model):
        class Meta:
            app_label = "testapp"

        text = models.CharField(max_length=1)
        boss = models.ForeignKey("self", models.CASCADE)
        created_at = models.DateField()

    assert [problem.id for problem in check_paths(Note, {"time": path})] == ["django_stream.E008"]
    assert check_paths(Note, {"time": "boss.created_at"}) == check_paths(Note, {}) == []


@pytest.mark.parametrize(
    ("option", "path", "better"),
    [
        ("actor", "text", "a foreign key"),
        ("actor", "boss_id", "'boss'"),
        ("actor", "boss.text", "'boss'"),
        ("actor", "boss.boss_id", "'boss.boss'"),
        ("target", "boss_id", "'boss'"),
        ("actor", "boss.boss", None),
        ("actor", "shout", None),
        ("target", "text", None),
    ],
)
def test_a_value_in_the_place_of_a_row_is_found(option: str, path: str, better: str | None) -> None:
    class Note(ActivityMixin, models.Model):
        class Meta:
            app_label = "testapp"

        text = models.CharField(max_length=1)
        boss = models.ForeignKey("self", models.CASCADE)
        created_at = models.DateTimeField()

        @property
        def shout(self) -> str:
            return self.text.upper()

    found = [(problem.id, problem.hint) for problem in check_paths(Note, {option: path})]

    hint = f"Name {better}: pages show rows, and people follow rows."
    assert found == ([("django_stream.W042", hint)] if better else [])


def test_the_test_project_is_sound() -> None:
    assert check_tracked_models() == []
    assert check_settings() == []


@pytest.mark.parametrize(
    ("setting", "value", "check_id", "hint"),
    [
        ("STREAM_API_SECRTE", "x", "django_stream.W001", "Did you mean 'STREAM_API_SECRET'?"),
        ("STREAM_BACKEND", "cloud", "django_stream.E010", "'embedded', 'hosted'"),
        ("STREAM_HOME", "https://feeds.example.com", "django_stream.E019", "Rename it to STREAM_BACKEND"),
        ("STREAM_BACKEND", "hosted", "django_stream.E011", "STREAM_API_KEY"),
        ("STREAM_TRANSPORT", "no.such.Thing", "django_stream.E012", "Correct the path"),
        ("STREAM_FEED_MANAGER_CLASS", "no.such.Thing", "django_stream.E012", "Correct the path"),
        ("STREAM_BACKEND", "https://feeds.example.com", "django_stream.E011", "a key of that server"),
        ("STREAM_BACKEND", "https://feeds.example.com", "django_stream.W020", "Celery"),
        ("STREAM_TIMEOUT", "soon", "django_stream.E014", "type float"),
        ("STREAM_API_SECRET", "short", "django_stream.W012", "longer"),
    ],
)
def test_wrong_settings_have_an_id_and_a_remedy(
    setting: str, value: str, check_id: str, hint: str, settings: Any
) -> None:
    setattr(settings, setting, value)

    (problem,) = [one for one in check_settings() if one.id == check_id]

    assert problem.hint is not None
    assert hint in problem.hint


def test_an_embedded_home_needs_the_server_app(settings: Any) -> None:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "django_stream.server"]

    assert "django_stream.E013" in [problem.id for problem in check_settings()]


def test_eager_celery_that_swallows_errors_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import current_app

    monkeypatch.setitem(current_app.conf, "task_always_eager", True)

    assert "django_stream.W021" in [problem.id for problem in check_settings()]


def test_a_lease_shorter_than_one_call_is_found(settings: Any) -> None:
    settings.STREAM_TIMEOUT = 100.0
    found = [problem for problem in check_settings() if problem.id == "django_stream.E015"]

    assert len(found) == 1
    assert "nothing would ever be sent" in found[0].msg


@pytest.mark.parametrize(
    ("name", "value", "id_", "hint"),
    [
        ("STREAM_OUTBOX_BATCH_SIZE", 0, "E016", "Give at least 1"),
        ("STREAM_MISSING_OBJECTS", "ignore", "E017", "Use one of 'drop', 'placeholder', 'raise'."),
        ("STREAM_NEWS_FEEDS", "timeline", "E018", "It must be a list or a tuple: ('timeline',)."),
        ("STREAM_NEWS_FEEDS", ["timelin"], "W013", "notification"),
        ("STREAM_USER_FEED", "chef", "W013", "STREAM_SERVER_FEED_GROUPS lists them all"),
    ],
)
def test_settings_that_would_publish_nothing_are_found(
    name: str, value: Any, id_: str, hint: str, settings: Any
) -> None:
    setattr(settings, name, value)
    (found,) = [problem for problem in check_settings() if problem.id == f"django_stream.{id_}"]

    assert name in found.msg
    assert hint in (found.hint or "")


@pytest.mark.parametrize(
    ("model", "where"),
    [(Article, "testapp.Article: Activity.feed"), (Subscription, "testapp.Subscription: Follows.feed")],
)
def test_a_declared_feed_group_that_does_not_exist_is_found(
    model: type[models.Model], where: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (publisher,) = (one for one in publishers_of(model) if one.kind in ("", "follow"))
    monkeypatch.setattr(publisher, "declaration", replace(publisher.declaration, feed="chef"))

    (problem,) = [one for one in check_settings() if one.id == "django_stream.W013"]
    assert problem.msg == f"{where} names 'chef', a feed group that the embedded server does not have."
    settings.STREAM_SERVER_FEED_GROUPS = {**settings.STREAM_SERVER_FEED_GROUPS, "chef": {"kind": "flat"}}
    assert "django_stream.W013" not in [one.id for one in check_settings()]


def test_so_is_one_that_an_attribute_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tag, "activity_author_feed", "chef")

    (problem,) = [one for one in check_settings() if one.id == "django_stream.W013"]
    assert problem.msg.startswith("testapp.Tag: Activity.feed names 'chef'")


def test_a_fixed_feed_is_no_path() -> None:
    class Tweet(ActivityMixin, models.Model):
        created_at = models.DateTimeField()

        class Meta:
            app_label = "testapp"

        class Activity:
            actor = "id"
            to = "news:all"

    class Toot(ActivityMixin, models.Model):
        created_at = models.DateTimeField()

        class Meta:
            app_label = "testapp"

        class Activity:
            actor = "id"
            to = ("news:all", "news")

    (problem,) = of_options(Tweet)
    assert problem.hint == "For a fixed feed: to = ['news:all']"
    (problem,) = of_options(Toot)
    assert problem.id == "django_stream.E003"


@isolate_apps("tests.testapp", attr_name="apps")
def test_two_models_that_name_their_rows_themselves_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from django_stream.activities.checks.owners import check_owners

    def named(name: str) -> type[models.Model]:
        meta = type("Meta", (), {"app_label": "testapp"})
        own = property(lambda self: "x")
        return type(name, (models.Model,), {"__module__": __name__, "Meta": meta, "feed_id": own})

    band, choir = named("Band"), named("Choir")
    monkeypatch.setattr("django_stream.activities.checks.owners.apps.get_models", lambda: [User, band])
    assert check_owners() == []
    monkeypatch.setattr("django_stream.activities.checks.owners.apps.get_models", lambda: [band, choir])
    (problem,) = check_owners()
    assert (problem.id, "testapp.Band and testapp.Choir" in problem.msg) == ("django_stream.W045", True)


@pytest.mark.parametrize(
    ("name", "value", "id_", "hint"),
    [
        ("TIMEOUT", "soon", "E014", "type float"),
        ("OUTBOX_BATCH_SIZE", True, "E014", "type int"),
        ("DISABLE_MODEL_TRACKING", "no", "E014", "type bool"),
        ("API_SECRET", 7, "E014", "type str or None"),
        ("CELERY_QUEUE", 7, "E014", "type str or None"),
        ("NEWS_FEEDS", 7, "E014", "dict of texts or list of texts"),
        ("NEWS_FEEDS", ["timeline", 7], "E014", "dict of texts or list of texts"),
        ("NEWS_FEEDS", "timeline", "E018", "('timeline',)"),
        ("MISSING_OBJECTS", "hide", "E017", "'drop', 'placeholder', 'raise'"),
        ("BACKEND", None, "E014", "type str"),
    ],
)
def test_one_wrong_setting_hides_no_other(name: str, value: Any, id_: str, hint: str, settings: Any) -> None:
    setattr(settings, f"STREAM_{name}", value)
    others = {"USER_FEED": "usr", "OUTBOX_LEASE_SECONDS": 0.5, "TRANSPORT": "no.Thing", "TIEMOUT": 1}
    for other, wrong in others.items():
        setattr(settings, f"STREAM_{other}", wrong)

    found = {problem.id: problem for problem in check_settings()}

    assert f"STREAM_{name} is" in found[f"django_stream.{id_}"].msg
    assert hint in str(found[f"django_stream.{id_}"].hint)
    assert found.keys() >= {f"django_stream.{one}" for one in ("W001", "W013", "E015", "E012")}


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("boss", "'boss_id' or 'boss.name'"),
        ("boss.boss", "'boss.boss_id' or 'boss.boss.name'"),
        ("photo", "'photo.name'"),
        ("boss.photo", "'boss.photo.name'"),
        ("length", "'length.total_seconds'"),
        ("starts", "'starts.isoformat'"),
        ("blob", "another field"),
        ("friends", "a column"),
        ("staff", "a column"),
        ("boss_id", None),
        ("name", None),
        ("photo.name", None),
        ("length.total_seconds", None),
        ("starts.isoformat", None),
        ("price", None),
        ("day", None),
        ("data", None),
        ("key", None),
    ],
)
def test_an_extra_field_without_a_form_on_the_wire_is_found(path: str, hint: str | None) -> None:
    from django_stream.activities.checks.activity_class import check_activity_options

    class Worker(models.Model):
        class Meta:
            app_label = "testapp"

        key = models.UUIDField()
        name = models.CharField(max_length=9)
        boss = models.ForeignKey("self", models.CASCADE, related_name="staff")
        friends: Any = models.ManyToManyField("self")
        photo = models.FileField()
        length = models.DurationField()
        starts = models.TimeField()
        blob = models.BinaryField()
        price = models.DecimalField(max_digits=6, decimal_places=2)
        day = models.DateField()
        data = models.JSONField()

    found = check_activity_options(Worker, {"actor": "boss", "time": "day", "extra": [path]})

    assert [problem.id for problem in found] == (["django_stream.E009"] if hint else [])
    assert hint is None or hint in str(found[0].hint)


_numbers = count()


def _model_with(**attributes: Any) -> type[Any]:
    columns = {
        "user": models.ForeignKey(User, models.CASCADE, related_name="+"),
        "created_at": models.DateTimeField(),
    }
    meta = type("Meta", (), {"app_label": "testapp"})
    return type(
        f"Thing{next(_numbers)}",
        (ActivityMixin, models.Model),
        {"__module__": __name__, "Meta": meta, **columns, **attributes},
    )


@pytest.mark.parametrize("name", [*PROPERTIES, "collection_data", "stream_user_data", "feed_id"])
@pytest.mark.parametrize("wrap", [lambda method: method, classmethod, staticmethod])
def test_a_method_where_a_property_is_read_is_found(name: str, wrap: Any) -> None:
    found = check_tracked_model(_model_with(**{name: wrap(lambda *_: None)}))

    assert [(one.id, name in one.msg, one.hint) for one in found] == [
        ("django_stream.E020", True, "Put @property above it.")
    ]
    assert check_tracked_model(_model_with(**{name: property(lambda self: None)})) == []


@pytest.mark.parametrize("name", ["activity_related_models", "activity_prefetch_related"])
def test_a_property_where_the_class_is_asked_is_found(name: str) -> None:
    for wrong in (property(lambda self: []), lambda self: [], ["user"]):
        (found,) = check_tracked_model(_model_with(**{name: wrong}))
        assert (found.id, found.hint) == (
            "django_stream.E020",
            "Make it a method, with @classmethod above it.",
        )
    assert check_tracked_model(_model_with(**{name: classmethod(lambda cls: [])})) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.inner)
def test_options_of_another_type_are_found(kind: Any) -> None:
    wrong = {"bool": "yes", "str": 7, "str | None": lambda row: "x", "Sequence[str]": [lambda row: 1]}
    for field in fields(kind.declaration):
        if (field.name in kind.paths and field.name not in kind.lists) or str(field.type) not in wrong:
            continue
        found = _check_options(User, kind, {field.name: wrong[str(field.type)]})
        assert f"{kind.inner}.{field.name}" in " ".join(
            one.msg for one in found if one.id == "django_stream.E003"
        ), field.name


@pytest.mark.parametrize("kind", [ACTIVITIES, REACTIONS], ids=["activity", "reaction"])
def test_fixed_feeds_are_ids_and_their_groups_are_checked(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (["news"], ["news:all", 7], [lambda row: row], ("username",)):
        found = [one for one in _check_options(User, kind, {"to": wrong}) if f"{kind.inner}.to" in one.msg]
        assert [one.id for one in found] == ["django_stream.E003"]
        assert "'news:all'" in str(found[0].hint)
    model = Article if kind is ACTIVITIES else Opinion
    (publisher,) = (one for one in publishers_of(model) if isinstance(one, kind.publisher))
    monkeypatch.setattr(publisher, "declaration", replace(publisher.declaration, to=["news:all"]))
    (problem,) = [one for one in check_settings() if one.id == "django_stream.W013"]
    assert f"{kind.inner}.to names 'news'" in problem.msg

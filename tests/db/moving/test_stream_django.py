"""A stream-django site goes on working once its imports are changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import models, transaction
from django.db.migrations.state import ModelState
from django.db.migrations.writer import MigrationWriter
from django.template import Context, engines

from django_stream import activity, context_processors
from django_stream.activity import Activity, model_content_type
from django_stream.checks import check_settings
from django_stream.client import Feed
from django_stream.client.exceptions import ConnectionFailed
from django_stream.conf import stream_settings
from django_stream.enrich import Enrich, EnrichedActivity
from django_stream.exceptions import MissingDataException
from django_stream.feed_manager import feed_manager
from django_stream.feeds.enrichment import _tell_of_text
from django_stream.feeds.manager import NOT_CALLED, FeedManager, get_feed_manager
from django_stream.models import OutboxEntry
from django_stream.publishing import outbox
from django_stream.templatetags.django_stream import render_activity
from django_stream.tracking import activities_paused, drain, republish
from tests.moved.models import Alive, Like, OldLike, Run, Tweet, Visit, Walk, Wall
from tests.testapp.models import Article, Guest, Pin, Subscription

pytestmark = pytest.mark.django_db
MOMENT = datetime(2020, 2, 3, tzinfo=UTC)


def test_a_pin_is_created_read_enriched_and_deleted(
    ada: User, grace: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    article = Article.objects.create(author=grace, title="one")
    feed_manager.follow_user(grace.id, ada.id)
    pin = Pin.objects.create(user=ada, item=article, influencer=grace, message="look")
    drain()

    activities = feed_manager.get_user_feed(ada.id).get(limit=25)["results"]
    assert [(one["verb"], one["message"]) for one in activities] == [("pin", "look")]
    assert activities[0]["object"] == f"{model_content_type(Pin)}:{pin.pk}"

    with django_assert_num_queries(3):
        (enriched,) = Enrich(["actor", "object", "item"]).enrich_activities(activities)
        assert enriched["object"].user == ada
        assert enriched["item"] == article
    assert enriched.enriched
    assert enriched.not_enriched_data == {}

    news = feed_manager.get_news_feeds(grace.id)["timeline"].get()["results"]
    assert [one["id"] for one in news] == [activities[0]["id"]]
    (group,) = feed_manager.get_notification_feed(grace.id).get(limit=5)["results"]
    assert Enrich().enrich_aggregated_activities([group])[0]["activities"][0]["object"] == pin
    assert feed_manager.get_actor_feed(pin).id == f"user:{ada.id}"

    pin.delete()
    drain()
    assert feed_manager.get_user_feed(ada.id).get()["results"] == []


def test_a_naive_time_is_utc_as_it_was_there(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    article = Article.objects.create(author=ada, title="one")
    monkeypatch.setattr(Pin, "activity_time", property(lambda self: datetime(2020, 2, 3, 4, 5, 6)))
    Pin.objects.create(user=ada, item=article, influencer=ada)
    drain()

    (activity,) = [one for one in feed_manager.get_user_feed(ada.id).get()["results"] if one["verb"] == "pin"]
    assert activity["time"].isoformat() == "2020-02-03T04:05:06+00:00"


def published(user: User, **options: Any) -> list[dict[str, Any]]:
    drain()
    return list(feed_manager.get_user_feed(user.pk).get(limit=25, **options)["results"])


@pytest.fixture
def wall(db: None) -> Wall:
    return Wall.objects.create(title="Kitchen")


# Bases and managers


def test_a_manager_that_hides_rows_still_does_and_its_bulk_operations_are_seen(ada: User) -> None:
    Tweet.objects.create(author=ada, text="gone", deleted=True)
    tweet = Tweet.objects.create(author=ada, text="there")
    assert [one.text for one in Tweet.objects.all()] == ["there"]
    assert isinstance(Tweet.objects, Alive)

    drain()
    Tweet.objects.update(text="changed")

    assert [one["text"] for one in published(ada) if one["foreign_id"] == f"moved.Tweet:{tweet.pk}"] == [
        "changed"
    ]


def test_managers_of_another_name_are_left_alone(ada: User) -> None:
    Run.public.bulk_create([Run(user=ada, length=1500), Run(user=ada, length=3000)])

    assert sorted(one["kilometres"] for one in published(ada)) == [1.5, 3.0]
    assert not hasattr(Run, "objects")
    Run.public.all().delete()
    assert published(ada) == []


def test_migrations_name_the_base_and_no_manager_of_ours() -> None:
    state = ModelState.from_model(Tweet)
    assert state.bases == (models.Model, Activity)
    assert state.managers == []
    text, imports = MigrationWriter.serialize(Activity)
    assert (text, imports) == ("django_stream.activity.Activity", {"import django_stream.activity"})


def test_a_row_and_its_note_are_written_together_or_not_at_all(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> int:
        raise RuntimeError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "insert_entries", broken)
        with pytest.raises(RuntimeError, match="killed here"), transaction.atomic():
            Tweet.objects.create(author=ada, text="x")
    assert not Tweet.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_same_without_a_transaction_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = User.objects.create(username="ada")
    monkeypatch.setattr(outbox, "insert_entries", lambda *args, **kwargs: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        Tweet.objects.create(author=ada, text="x")

    assert not Tweet.objects.exists()


# What used to be ignored in silence


def test_the_object_that_a_property_yields_is_shown_as_an_instance(ada: User, wall: Wall) -> None:
    like = Like.objects.create(user=ada, wall=wall)

    (enriched,) = Enrich().enrich_activities(published(ada))

    assert enriched["object"] == wall
    assert enriched["foreign_id"] == f"moved.Like:{like.pk}"


def test_views_may_go_on_with_the_activities_that_they_gave(ada: User, wall: Wall) -> None:
    Like.objects.create(user=ada, wall=wall)
    activities = published(ada)
    group = {"verb": "like", "activities": [dict(activities[0])]}
    gone = {"actor": f"auth.User:{ada.pk}", "verb": "x", "object": "moved.Wall:987654"}

    Enrich().enrich_activities([*activities, gone])
    Enrich().enrich_aggregated_activities([group])

    assert (activities[0]["actor"], activities[0]["object"]) == (ada, wall)
    assert group["activities"][0]["object"] == wall
    assert (gone["actor"], gone["object"]) == (ada, "moved.Wall:987654")


def test_rows_that_are_marked_as_deleted_leave_by_should_publish(ada: User) -> None:
    tweet = Tweet.objects.create(author=ada, text="x")
    with pytest.raises(AttributeError, match="should_publish"):
        feed_manager.activity_delete(Tweet, tweet)

    walk = Walk(user=ada)
    walk.save()
    assert len(published(ada)) == 2
    walk.deleted_at = walk.created_at
    walk.save()
    assert [one["verb"] for one in published(ada)] == ["tweet"]


def test_the_activity_names_its_recipients_by_their_feeds(ada: User, grace: User) -> None:
    parent = Tweet.objects.create(author=grace, text="question")
    tweet = Tweet.objects.create(author=ada, text="answer", parent=parent)

    assert tweet.create_activity()["to"] == [f"notification:{grace.pk}"]
    assert "to" not in parent.create_activity()


def test_templates_find_the_tags_by_their_former_name() -> None:
    source = "{% load activity_tags %}{% render_activity nothing %}"

    assert engines["django"].from_string(source).render({}) == ""


def test_what_is_shown_as_text_is_told_once_with_the_remedy(ada: User, caplog: Any) -> None:
    _tell_of_text.cache_clear()
    activity = {"actor": "contenttypes.ContentType:1", "verb": "x", "object": "contenttypes.ContentType:2"}

    (enriched,) = Enrich().enrich_activities([activity])

    assert enriched["object"] == "contenttypes.ContentType:2"
    assert [record.getMessage().count("tracking.show(") for record in caplog.records] == [1]


class Upper(Enrich):
    """Hooks as the README of stream-django has them."""

    def fetch_contenttype_instances(self, pks: Any) -> dict[int, str]:
        return {int(pk): f"type {pk}" for pk in pks}

    def enrich_instance(self, instance: Any) -> Any:
        return instance.username.upper() if isinstance(instance, User) else instance


def test_hooks_of_an_enricher_are_called(ada: User) -> None:
    activity = {"actor": f"auth.User:{ada.pk}", "verb": "x", "object": "contenttypes.ContentType:7"}

    (enriched,) = Upper().enrich_activities([activity])

    assert (enriched["actor"], enriched["object"]) == ("ADA", "type 7")


def test_all_models_may_be_fetched_in_another_way(ada: User) -> None:
    asked = []

    class Cached(Enrich):
        def fetch_model_instances(self, modelClass: Any, pks: Any) -> Any:
            asked.append((modelClass, list(pks)))
            return super().fetch_model_instances(modelClass, pks)

    (enriched,) = Cached().enrich_activities([{"actor": f"auth.User:{ada.pk}", "verb": "x", "object": "x"}])

    assert enriched["actor"] == ada
    assert asked == [(User, [ada.pk])]


def test_an_overridden_create_activity_is_what_is_sent(ada: User) -> None:
    Run.public.create(user=ada, length=2500)

    (activity,) = published(ada)

    assert activity["kilometres"] == 2.5
    assert activity["owner"] == f"auth.User:{ada.pk}"


def test_a_change_of_anything_that_it_reads_is_sent(ada: User) -> None:
    run = Run.public.create(user=ada, length=2500)
    drain()
    run.length = 4000
    run.save(update_fields=["length"])

    assert published(ada)[0]["kilometres"] == 4.0


class Manager(FeedManager):
    """Policies of a project."""

    def get_actor_feed(self, instance: Any = None) -> Any:
        return "topic" if isinstance(instance, Run) else super().get_actor_feed(instance)

    def get_recipients(self, instance: Any) -> list[str]:
        return [*super().get_recipients(instance), "flat:all"]

    def get_user_feed(self, user_id: Any, feed_type: str | None = None) -> Any:
        return super().get_user_feed(user_id, feed_type or "secret")


@pytest.fixture
def own_manager(settings: Any) -> FeedManager:
    settings.STREAM_FEED_MANAGER_CLASS = f"{__name__}.Manager"
    return get_feed_manager()


def test_policies_of_a_manager_are_asked_while_publishing(ada: User, own_manager: FeedManager) -> None:
    Run.public.create(user=ada, length=2500)
    Tweet.objects.create(author=ada, text="hello")
    drain()

    assert [one["verb"] for one in own_manager.get_feed("topic", ada).get()["results"]] == ["went for a run"]
    assert [one["verb"] for one in own_manager.get_feed("user", ada).get()["results"]] == ["tweet"]
    assert len(own_manager.get_feed("flat", "all").get()["results"]) == 2


def test_rows_and_calls_follow_the_feed_that_a_manager_gives_to_users(
    ada: User, grace: User, own_manager: FeedManager
) -> None:
    own_manager.follow_user(grace.pk, ada.pk)
    Subscription.objects.create(reader=ada, writer=grace)
    drain()

    for follower, followed in ((grace, ada), (ada, grace)):
        found = own_manager.get_feed("timeline", follower).following()["results"]
        assert [one["target_id"] for one in found] == [f"secret:{followed.pk}"]


def test_with_tracking_disabled_nobody_claims_to_have_published(ada: User, settings: Any) -> None:
    settings.STREAM_DISABLE_MODEL_TRACKING = True
    tweet = Tweet.objects.create(author=ada, text="x")

    with pytest.raises(ImproperlyConfigured, match="STREAM_DISABLE_MODEL_TRACKING"):
        republish(tweet)
    for command in ("stream_backfill", "stream_sync"):
        with pytest.raises(CommandError, match="STREAM_DISABLE_MODEL_TRACKING"):
            call_command(command)


def test_a_key_for_elsewhere_is_told_of(settings: Any) -> None:
    settings.STREAM_API_KEY = "abcdefgh"
    assert [one.id for one in check_settings()] == ["django_stream.W070"]

    settings.STREAM_API_KEY = ""
    assert check_settings() == []


@pytest.mark.parametrize("unset", ["", None])
def test_empty_credentials_are_none(settings: Any, unset: Any) -> None:
    settings.STREAM_API_KEY = settings.STREAM_API_SECRET = settings.STREAM_APP_ID = unset
    assert (stream_settings.API_KEY, stream_settings.APP_ID) == ("embedded", "1")
    assert stream_settings.secret


def test_a_verb_with_spaces_finds_the_template_of_its_name(ada: User) -> None:
    Run.public.create(user=ada, length=2500)
    (activity,) = Enrich().enrich_activities(published(ada))

    assert render_activity(Context(), activity).strip() == "ada ran 2.5 km"


def test_names_of_before_keep_foreign_ids_times_and_owners(ada: User, wall: Wall, settings: Any) -> None:
    naive = datetime(2020, 2, 3, 4, 5, 6)
    like = OldLike(pk=7, user=ada, wall=wall, created_at=naive)
    settings.USE_TZ, settings.TIME_ZONE = False, "Europe/Amsterdam"

    assert like.activity_foreign_id == f"moved.Wall:{wall.pk}"
    assert like.activity_time.isoformat() == "2020-02-03T04:05:06+00:00"
    assert like.activity_actor_id == ada.pk
    like.user = Guest(pk=ada.pk)  # a proxy
    assert like.activity_actor == f"testapp.Guest:{ada.pk}"


def test_rows_that_share_a_foreign_id_are_removed_one_by_one(ada: User, wall: Wall) -> None:
    moments = [datetime(2020, 2, 3, hour, tzinfo=UTC) for hour in (1, 2)]
    first, _second = [OldLike.objects.create(user=ada, wall=wall, created_at=one) for one in moments]
    assert len(published(ada)) == 2

    first.delete()

    assert [one["time"] for one in published(ada)] == [moments[1]]
    feed_manager.remove_activity_from_feed(_second)
    assert published(ada) == []


def test_the_copies_of_an_actor_who_is_gone_are_taken_out_and_the_row_is_parked(
    ada: User, grace: User
) -> None:
    visit = Visit.objects.create(user=ada, host=grace)
    drain()
    notified = feed_manager.get_notification_feed(grace.pk)
    assert len(notified.get()["results"]) == 1

    ada.delete()
    drain()

    assert notified.get()["results"] == []
    (entry,) = OutboxEntry.objects.all()
    assert "has no actor" in entry.reason
    visit.refresh_from_db()
    visit.user = grace
    visit.save()
    drain()
    assert len(notified.get()["results"]) == 1
    assert not OutboxEntry.objects.exists()


def test_what_could_not_be_taken_out_is_tried_again(
    ada: User, grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    Visit.objects.create(user=ada, host=grace)
    drain()

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise ConnectionFailed("no network")

    ada.delete()
    with monkeypatch.context() as patch:
        patch.setattr(Feed, "remove_activity", broken)
        drain()
    assert len(feed_manager.get_notification_feed(grace.pk).get()["results"]) == 1
    OutboxEntry.objects.update(due_at=MOMENT)
    drain()

    assert feed_manager.get_notification_feed(grace.pk).get()["results"] == []
    assert "has no actor" in OutboxEntry.objects.get().reason


# Names


def test_one_model_is_paused(ada: User) -> None:
    feed_manager.disable_model_tracking(Tweet)
    try:
        assert not feed_manager.should_track(Tweet)
        assert feed_manager.should_track(Run)
        Tweet.objects.create(author=ada, text="x")
        Run.public.create(user=ada, length=1)
    finally:
        feed_manager.enable_model_tracking(Tweet)
    with activities_paused(Run):
        Run.public.create(user=ada, length=2)
        Tweet.objects.create(author=ada, text="y")

    assert sorted(one["verb"] for one in published(ada)) == ["tweet", "went for a run"]


def test_all_models_are_paused_and_go_on(ada: User) -> None:
    feed_manager.disable_model_tracking()
    try:
        Tweet.objects.create(author=ada, text="x")
    finally:
        feed_manager.enable_model_tracking()
    Tweet.objects.create(author=ada, text="y")

    assert [one["text"] for one in published(ada)] == ["y"]


def test_a_row_is_added_and_removed_by_hand(ada: User, grace: User) -> None:
    with activities_paused():
        parent = Tweet.objects.create(author=grace, text="question")
        tweet = Tweet.objects.create(author=ada, text="answer", parent=parent)

    added = feed_manager.add_activity_to_feed(tweet)
    assert added is not None
    assert added["foreign_id"] == f"moved.Tweet:{tweet.pk}"
    assert len(published(ada)) == 1
    assert len(feed_manager.get_notification_feed(grace.pk).get()["results"]) == 1

    feed_manager.remove_activity_from_feed(tweet)
    assert published(ada) == []
    assert feed_manager.get_notification_feed(grace.pk).get()["results"] == []


@pytest.mark.parametrize("name", sorted(NOT_CALLED))
def test_methods_without_a_successor_name_what_to_do(name: str, settings: Any) -> None:
    with pytest.raises(AttributeError, match="outbox|django_stream"):
        getattr(feed_manager, name)

    global Replacing
    Replacing = type("Replacing", (FeedManager,), {name: lambda self: None})
    settings.STREAM_FEED_MANAGER_CLASS = f"{__name__}.Replacing"
    assert [one.id for one in check_settings()] == ["django_stream.E070"]


def test_attributes_and_arguments_of_the_manager(ada: User) -> None:
    assert feed_manager.user_feed == "user"
    assert feed_manager.notification_feed == "notification"
    assert list(feed_manager.news_feeds) == ["timeline", "timeline_aggregated"]
    assert feed_manager.get_user_feed(ada.pk, feed_type="timeline").id == f"timeline:{ada.pk}"
    assert feed_manager.get_user_feed(ada.pk, "timeline").id == f"timeline:{ada.pk}"
    assert feed_manager.get_feed("user", ada.pk).id == f"user:{ada.pk}"


def test_several_users_are_followed_and_left_in_one_call(ada: User, grace: User) -> None:
    feed_manager.follow_many_users(ada, [ada, grace])
    assert len(feed_manager.get_feed("timeline", ada).following()["results"]) == 2

    feed_manager.unfollow_many_users(ada, [ada, grace])
    assert feed_manager.get_feed("timeline", ada).following()["results"] == []


def test_references_and_labels(ada: User) -> None:
    assert activity.create_reference(ada) == activity.create_model_reference(ada) == f"auth.User:{ada.pk}"
    assert activity.create_reference("anything") == "anything"
    assert activity.create_reference(None) is None


def test_the_manager_is_found_under_each_of_its_names() -> None:
    from django_stream import feed_manager as from_the_package
    from django_stream.feed_manager import feed_manager as from_its_module
    from django_stream.managers import FeedManager as from_managers

    assert from_the_package.get_user_feed(1).id == from_its_module.get_user_feed(1).id == "user:1"
    assert from_managers is FeedManager
    with pytest.raises(AttributeError, match="nothing_like_it"):
        from_the_package.nothing_like_it  # noqa: B018


def test_the_client_is_that_of_the_site(ada: User) -> None:
    from django_stream.client import stream_client

    assert stream_client.feed("user", ada.pk).id == f"user:{ada.pk}"
    assert stream_client.api_key == feed_manager.client.api_key


def test_the_context_processor(rf: Any) -> None:
    assert context_processors.stream(rf.get("/")) == {"STREAM_API_KEY": "embedded", "STREAM_APP_ID": "1"}


def test_an_enriched_activity_has_its_names_of_before() -> None:
    enriched = EnrichedActivity({"verb": "x"})
    assert enriched.enriched
    enriched.track_not_enriched_field("object", "shop.Gone:1")
    assert not enriched.enriched
    assert enriched.not_enriched_data == {"object": "shop.Gone:1"}
    enriched.activity_data["verb"] = "y"
    assert enriched["verb"] == "y"


def test_policies_of_the_template_tag(caplog: Any) -> None:
    gone = EnrichedActivity({"id": "1", "verb": "x", "object": "o"}, missing={"object": "shop.Gone:1"})

    assert render_activity(Context(), gone, missing_data_policy="ignore") == ""
    assert caplog.records == []
    assert render_activity(Context(), gone, missing_data_policy="warn") == ""
    assert "shop.Gone:1" in caplog.text
    with pytest.raises(MissingDataException):
        render_activity(Context(), gone, missing_data_policy="fail")
    with pytest.raises(ValueError, match="missing_data_policy"):
        render_activity(Context(), gone, missing_data_policy="wran")


def test_what_its_own_tests_say_otherwise(ada: User) -> None:
    """The three statements that the page lists."""
    tweet = Tweet.objects.create(author=ada, text="x")
    assert feed_manager.get_actor_feed(tweet).id == f"user:{ada.pk}"

    for prefix in ("", "prependto"):
        tag = "{% load activity_tags %}{% render_activity activity template_prefix='" + prefix + "' %}"
        activity_ = EnrichedActivity({"id": "1", "verb": "thisone", "actor": ada, "object": tweet})
        assert "thisone" in engines["django"].from_string(tag).render({"activity": activity_})


def test_a_former_setting_is_refused(settings: Any) -> None:
    settings.STREAM_PERSONAL_FEED = "notes"
    (error,) = check_settings()
    assert (error.id, "STREAM_NOTIFICATION_FEED" in error.msg) == ("django_stream.E019", True)

"""The feed manager: which feeds belong to a user, and who follows whom.

Method names follow stream-django's, so that its views and shells move by a change of import.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from django.db import models
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from django_stream.activities.owners import owner_id
from django_stream.activities.payload import payload_of, recipients_of
from django_stream.activities.policies import feed_manager_of_settings
from django_stream.activities.publishers.activities import representation_of
from django_stream.activities.representation import ActivityProperties
from django_stream.backends import get_client
from django_stream.conf import stream_settings
from django_stream.protocol.activity_ids import activity_id
from django_stream.protocol.times import parse_time
from django_stream.publishing import outbox

if TYPE_CHECKING:
    from django_stream.client import Feed, StreamClient

NOT_CALLED = {
    "activity_created": "the outbox publishes rows that are saved; "
    "django_stream.tracking.republish(row) publishes one again",
    "activity_delete": "the outbox takes out rows that are deleted; where they are only marked so, "
    "let should_publish in class Activity be false",
    "bind_model": "models are tracked by their base class, or by django_stream.tracking.register(model)",
}
"""Methods of stream-django's manager that have none in their place, and why."""


class FeedManager:
    """Subclass it and name the subclass in STREAM_FEED_MANAGER_CLASS to change any policy."""

    @property
    def client(self) -> StreamClient:
        return get_client()

    @property
    def user_feed(self) -> str:
        return stream_settings.USER_FEED

    @property
    def notification_feed(self) -> str:
        return stream_settings.NOTIFICATION_FEED

    @property
    def news_feeds(self) -> dict[str, str]:
        return stream_settings.news_feeds

    def get_feed(self, feed: str, user_id: Any) -> Feed:
        """A feed by its group's slug and its owner: an instance of any model, or the key of a user."""
        if isinstance(user_id, HttpRequest):
            raise TypeError("a request has no feed: give request.user")
        return self.client.feed(feed, owner_id(user_id))

    def get_user_feed(self, user_id: Any, feed_type: str | None = None) -> Feed:
        """What the user has done."""
        return self.get_feed(feed_type or self.user_feed, user_id)

    def get_notification_feed(self, user_id: Any) -> Feed:
        return self.get_feed(self.notification_feed, user_id)

    def get_news_feeds(self, user_id: Any) -> dict[str, Feed]:
        """What those whom the user follows have done, by the names of STREAM_NEWS_FEEDS."""
        return {name: self.get_feed(slug, user_id) for name, slug in self.news_feeds.items()}

    def get_actor_feed(self, instance: ActivityProperties) -> Feed:
        """The feed that an activity of this row goes to first. An override may return its slug alone."""
        return self.get_feed(instance.activity_author_feed or self.user_feed, instance.activity_actor_id)

    def get_recipients(self, instance: ActivityProperties) -> list[str]:
        """Feed ids that a row's activity is sent to besides its actor's feed."""
        return recipients_of(instance)

    def follow_user(self, user_id: Any, target_user_id: Any) -> None:
        """Let all news feeds of a user follow another user's feed."""
        self.follow_many_users(user_id, [target_user_id])

    def unfollow_user(self, user_id: Any, target_user_id: Any, *, keep_history: bool = False) -> None:
        self.unfollow_many_users(user_id, [target_user_id], keep_history=keep_history)

    def follow_many_users(self, user_id: Any, target_ids: Iterable[Any]) -> None:
        """Follow several users in one call."""
        self._follow(user_id, (self.get_user_feed(target) for target in target_ids))

    def unfollow_many_users(
        self, user_id: Any, target_ids: Iterable[Any], *, keep_history: bool = False
    ) -> None:
        """Follow several users no longer, in one call."""
        targets = (self.get_user_feed(target) for target in target_ids)
        self._unfollow(user_id, targets, keep_history=keep_history)

    def follow_feed(self, user_id: Any, target_feed: str, target_user_id: Any) -> None:
        """Let all news feeds of a user follow any feed."""
        self._follow(user_id, [self.get_feed(target_feed, target_user_id)])

    def unfollow_feed(
        self, user_id: Any, target_feed: str, target_user_id: Any, *, keep_history: bool = False
    ) -> None:
        self._unfollow(user_id, [self.get_feed(target_feed, target_user_id)], keep_history=keep_history)

    def add_activity_to_feed(self, feed: Feed | models.Model, instance: Any = None) -> dict[str, Any] | None:
        """Put a row's activity into one more feed, now and outside of the outbox.

        Given the row alone, into its actor's feed and to its recipients. None when it does not publish.
        """
        row = feed if instance is None else instance
        payload = payload_of(_represented(row))
        if payload is None:
            return None
        to = self.client.feed(payload.feed.slug, payload.feed.user_id) if instance is None else feed
        assert not isinstance(to, models.Model)
        return to.add_activity(payload.activity)

    def remove_activity_from_feed(self, instance: models.Model) -> Mapping[str, Any] | None:
        """Take a row's activity out of its actor's feed, and of those that have it from there, now."""
        payload = payload_of(_represented(instance))
        if payload is None:
            return None
        feed = self.client.feed(payload.feed.slug, payload.feed.user_id)
        # By its id: other rows may share the foreign id.
        time = parse_time(payload.activity["time"])
        return feed.remove_activity(str(activity_id(time, payload.activity["foreign_id"])))

    def disable_model_tracking(self, model: type[models.Model] | None = None) -> None:
        """Publish nothing of a model, or of any, in this process from now on.

        For a block of code use `activities_paused()`; for a whole site STREAM_DISABLE_MODEL_TRACKING.
        """
        outbox.switch_off(model)

    def enable_model_tracking(self, model: type[models.Model] | None = None) -> None:
        """Undo the same call of `disable_model_tracking`."""
        outbox.switch_on(model)

    def should_track(self, model: type[models.Model]) -> bool:
        """Whether changes of a model's rows are published in this process now."""
        return not outbox.is_paused(model._meta.label)

    def __getattr__(self, name: str) -> Any:
        if name in NOT_CALLED:
            raise AttributeError(f"the feed manager has no {name}, since {NOT_CALLED[name]}", name=name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    def _follow(self, user_id: Any, targets: Iterable[Feed]) -> None:
        if pairs := list(self._pairs(user_id, targets)):
            self.client.follow_many(pairs, stream_settings.ACTIVITY_COPY_LIMIT)

    def _unfollow(self, user_id: Any, targets: Iterable[Feed], *, keep_history: bool) -> None:
        if pairs := list(self._pairs(user_id, targets)):
            self.client.unfollow_many([pair | {"keep_history": keep_history} for pair in pairs])

    def _pairs(self, user_id: Any, targets: Iterable[Feed]) -> Iterator[dict[str, Any]]:
        sources = [feed.id for feed in self.get_news_feeds(user_id).values()]
        for target in targets:
            yield from ({"source": source, "target": target.id} for source in sources)


def _represented(row: Any) -> ActivityProperties:
    """A row, or what stands for it where its model is registered; TypeError for one that is not tracked."""
    if isinstance(row, ActivityProperties):
        return row
    found = representation_of(row) if isinstance(row, models.Model) else None
    if found is None:
        raise TypeError(f"{row!r} is no row of a model whose rows are activities")
    return found


def get_feed_manager() -> FeedManager:
    """The manager that the settings name."""
    manager: FeedManager = feed_manager_of_settings()
    return manager


feed_manager: FeedManager = SimpleLazyObject(get_feed_manager)  # type: ignore[assignment]

"""The feed manager: which feeds belong to a user, and who follows whom.

Method names follow stream-django's, so that its views and shells move by a change of import.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from django_stream.activities.owners import feed_id, owner_id
from django_stream.activities.payload import feed_ids_of, payload_of
from django_stream.activities.representation import ActivityProperties
from django_stream.backends import get_client
from django_stream.client import Feed, StreamClient
from django_stream.conf import imported, stream_settings


class FeedManager:
    """Subclass it and name the subclass in STREAM_FEED_MANAGER_CLASS to change any policy."""

    @property
    def client(self) -> StreamClient:
        return get_client()

    def get_feed(self, feed: str, user_id: Any) -> Feed:
        """A feed by its group's slug and its owner: an instance of any model, or the key of a user."""
        if isinstance(user_id, HttpRequest):
            raise TypeError("a request has no feed: give request.user")
        return self.client.feed(feed, owner_id(user_id))

    def get_user_feed(self, user_id: Any, feed: str | None = None) -> Feed:
        """What the user has done."""
        return self.get_feed(feed or stream_settings.USER_FEED, user_id)

    def get_notification_feed(self, user_id: Any) -> Feed:
        return self.get_feed(stream_settings.NOTIFICATION_FEED, user_id)

    def get_news_feeds(self, user_id: Any) -> dict[str, Feed]:
        """What those whom the user follows have done, by the names of STREAM_NEWS_FEEDS."""
        return {name: self.get_feed(slug, user_id) for name, slug in stream_settings.news_feeds.items()}

    def get_actor_feed(self, instance: ActivityProperties) -> Feed:
        """The feed that an activity of this row goes to first."""
        slug = instance.activity_author_feed or stream_settings.USER_FEED
        return self.get_feed(slug, instance.activity_actor_id)

    def follow_user(self, user_id: Any, target_user_id: Any) -> None:
        """Let all news feeds of a user follow another user's feed."""
        self.follow_feed(user_id, stream_settings.USER_FEED, target_user_id)

    def unfollow_user(self, user_id: Any, target_user_id: Any, *, keep_history: bool = False) -> None:
        self.unfollow_feed(user_id, stream_settings.USER_FEED, target_user_id, keep_history=keep_history)

    def follow_feed(self, user_id: Any, target_feed: str, target_user_id: Any) -> None:
        """Let all news feeds of a user follow any feed."""
        self.client.follow_many(
            list(self._pairs(user_id, target_feed, target_user_id)), stream_settings.ACTIVITY_COPY_LIMIT
        )

    def unfollow_feed(
        self, user_id: Any, target_feed: str, target_user_id: Any, *, keep_history: bool = False
    ) -> None:
        pairs = self._pairs(user_id, target_feed, target_user_id)
        self.client.unfollow_many([pair | {"keep_history": keep_history} for pair in pairs])

    def follow_many_users(self, user_id: Any, target_ids: Iterable[Any]) -> None:
        """Follow several users in one call."""
        pairs = [
            pair for target in target_ids for pair in self._pairs(user_id, stream_settings.USER_FEED, target)
        ]
        if pairs:
            self.client.follow_many(pairs, stream_settings.ACTIVITY_COPY_LIMIT)

    def add_activity_to_feed(self, feed: Feed, instance: ActivityProperties) -> None:
        """Put a row's activity into one more feed, now and outside of the outbox."""
        payload = payload_of(instance)
        if payload is not None:
            feed.add_activity(payload.activity)

    def get_recipients(self, instance: ActivityProperties) -> list[str]:
        """Feed ids that a row's activity is sent to besides its actor's feed."""
        return feed_ids_of(instance.activity_notify)

    def _pairs(self, user_id: Any, target_feed: str, target_user_id: Any) -> Iterable[dict[str, Any]]:
        target = str(feed_id(target_feed, target_user_id))
        for slug in stream_settings.news_feeds.values():
            yield {"source": str(feed_id(slug, user_id)), "target": target}


def get_feed_manager() -> FeedManager:
    """The manager that the settings name."""
    manager: FeedManager = imported(stream_settings.FEED_MANAGER_CLASS)()
    return manager


feed_manager: FeedManager = SimpleLazyObject(get_feed_manager)  # type: ignore[assignment]

"""One feed: its activities, its followers, and whom it follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from django_stream.client import times, validation
from django_stream.client.api import Api, Scope, merged
from django_stream.client.encoding import comma_joined
from django_stream.client.exceptions import ValidationError
from django_stream.client.reading import feed_query
from django_stream.client.types import (
    Activity,
    ActivityTargets,
    AddedActivities,
    Done,
    FeedPage,
    FollowPage,
    Reactions,
    Removed,
)
from django_stream.protocol import limits, scopes
from django_stream.protocol.feed_ids import FeedID

if TYPE_CHECKING:
    from django_stream.client.client import StreamClient


class Feed:
    """`client.feed("user", "1")`; making one costs nothing and sends nothing."""

    # For the asynchronous view: these answer at once.
    local_methods = frozenset({"create_scope_token", "get_readonly_token", "add_to_signature"})

    def __init__(
        self, client: StreamClient, feed_slug: object, user_id: object, token: str | bytes | None = None
    ) -> None:
        """A token of one's own, such as a read-only one, is sent with every call."""
        self.client = client
        self._token = token.decode() if isinstance(token, bytes) else token
        self.slug = validation.validate_feed_slug(feed_slug)
        self.user_id = validation.validate_user_id(user_id)
        self.id = f"{self.slug}:{self.user_id}"
        self.feed_url = f"feed/{self.slug}/{self.user_id}/"
        self.enriched_feed_url = f"enrich/{self.feed_url}"
        self.feed_targets_url = f"feed_targets/{self.slug}/{self.user_id}/"
        self.feed_together = self.slug + self.user_id

    def __repr__(self) -> str:
        return f"Feed({self.id!r})"

    @property
    def _api(self) -> Api:
        return self.client.api

    def _scope(self, resource: str, action: str) -> Scope | str:
        return self._token or (resource, action, self.feed_together)

    def add_activity(self, activity_data: Mapping[str, Any]) -> Activity:
        """Add one activity here, on its `to` targets and in the feeds of the followers."""
        data = validation.activity(activity_data)
        added: Activity = self._api.call(
            "POST",
            self.feed_url,
            self._scope(scopes.FEED, scopes.WRITE),
            body=data,
            decode=times.activity,
            repeatable=validation.identified(data),
        )
        return added

    def add_activities(self, activity_list: Iterable[Mapping[str, Any]]) -> AddedActivities | None:
        """Add activities in this order, 100 per request; None if there are none."""
        items = [
            validation.activity(item, f"activities[{index}]")
            for index, item in enumerate(validation.listed(activity_list, "activities"))
        ]
        if not items:
            return None
        results = self._api.batches(
            items,
            limits.ACTIVITIES_PER_REQUEST,
            lambda part: self._api.call(
                "POST",
                self.feed_url,
                self._scope(scopes.FEED, scopes.WRITE),
                body={"activities": part},
                decode=times.activities,
                repeatable=all(map(validation.identified, part)),
            ),
        )
        added: AddedActivities = merged(results, "activities")
        return added

    def remove_activity(self, activity_id: object = None, foreign_id: object = None) -> Removed:
        """Remove by id, or everything with a foreign id; unknown ones are no error."""
        if bool(activity_id) == bool(foreign_id):
            raise ValidationError("give either activity_id or foreign_id", "activity_id")
        name, value = ("foreign_id", foreign_id) if foreign_id else ("activity_id", activity_id)
        removed: Removed = self._api.call(
            "DELETE",
            f"{self.feed_url}{validation.path_tail(value, name)}/",
            self._scope(scopes.FEED, scopes.DELETE),
            query={"foreign_id": "1"} if foreign_id else None,
        )
        return removed

    def get(
        self,
        enrich: bool = False,
        reactions: Reactions | None = None,
        *,
        limit: int | None = None,
        offset: int | None = None,
        id_lt: object = None,
        id_lte: object = None,
        id_gt: object = None,
        id_gte: object = None,
        ranking: str | None = None,
        ranking_vars: Mapping[str, Any] | str | None = None,
        mark_read: bool | Iterable[str] | None = None,
        mark_seen: bool | Iterable[str] | None = None,
        mark_unread: bool | Iterable[str] | None = None,
        verb: str | Iterable[str] | None = None,
        actor: str | Iterable[str] | None = None,
        order: Literal["newest", "oldest"] | None = None,
        user_id: str | None = None,
        **params: Any,
    ) -> FeedPage:
        """Read a page, newest first; with `order="oldest"`, flat feeds of our own server from the other end.

        With `enrich` or `reactions`, references come back as objects. `user_id` is whose own
        reactions are meant. `mark_unread`, and `verb` and `actor`, which leave all others out, are known to
        our own server only. Further parameters of the API go through as they are.
        """
        query = feed_query(
            reactions,
            limit=limit,
            offset=offset,
            id_lt=id_lt,
            id_lte=id_lte,
            id_gt=id_gt,
            id_gte=id_gte,
            ranking=ranking,
            ranking_vars=ranking_vars,
            mark_read=mark_read,
            mark_seen=mark_seen,
            mark_unread=mark_unread,
            verb=None if verb is None else [verb] if isinstance(verb, str) else list(verb),
            actor=None if actor is None else [actor] if isinstance(actor, str) else list(actor),
            order=order,
            user_id=user_id,
            **params,
        )
        enriched = enrich or reactions is not None
        page: FeedPage = self._api.call(
            "GET",
            self.enriched_feed_url if enriched else self.feed_url,
            self._scope(scopes.FEED, scopes.READ),
            query=query,
            decode=times.feed_page,
        )
        return page

    def follow(
        self,
        target_feed_slug: object,
        target_user_id: object = None,
        activity_copy_limit: int | None = None,
        **extra_data: Any,
    ) -> Done:
        """Follow `("user", "42")`, `"user:42"` or a feed, and copy its newest activities here."""
        target = _target(target_feed_slug, target_user_id)
        data: dict[str, Any] = {"target": str(target)}
        if validation.copy_limit(activity_copy_limit) is not None:
            data["activity_copy_limit"] = activity_copy_limit
        done: Done = self._api.call(
            "POST",
            f"{self.feed_url}follows/",
            self._scope(scopes.FOLLOWER, scopes.WRITE),
            body={**data, **extra_data},
            repeatable=True,
        )
        return done

    def unfollow(
        self, target_feed_slug: object, target_user_id: object = None, keep_history: bool = False
    ) -> Done:
        """Stop following; what was copied goes too, unless `keep_history`."""
        target = _target(target_feed_slug, target_user_id)
        done: Done = self._api.call(
            "DELETE",
            f"{self.feed_url}follows/{target}/",
            self._scope(scopes.FOLLOWER, scopes.DELETE),
            query={"keep_history": True} if keep_history else None,
        )
        return done

    def followers(self, offset: int = 0, limit: int = 25, feeds: Iterable[str] | None = None) -> FollowPage:
        """Who follows this feed, newest first; `feeds` asks about these only."""
        return self._follows("followers", offset, limit, feeds)

    def following(self, offset: int = 0, limit: int = 25, feeds: Iterable[str] | None = None) -> FollowPage:
        """Whom this feed follows, newest first; `feeds` asks about these only."""
        return self._follows("follows", offset, limit, feeds)

    def _follows(self, side: str, offset: int, limit: int, feeds: Iterable[str] | None) -> FollowPage:
        validation.page_number(limit, "limit", limits.FOLLOW_PAGE_MAX)
        validation.page_number(offset, "offset", limits.FOLLOW_OFFSET_MAX)
        named = "" if feeds is None else comma_joined("feeds", validation.feed_list(feeds, "feeds"))
        page: FollowPage = self._api.call(
            "GET",
            f"{self.feed_url}{side}/",
            self._scope(scopes.FOLLOWER, scopes.READ),
            query={"offset": offset, "limit": limit, "filter": named},
            decode=times.stamped_results,
        )
        return page

    def update_activity_to_targets(
        self,
        foreign_id: str,
        time: datetime | str,
        new_targets: Iterable[str] | None = None,
        added_targets: Iterable[str] | None = None,
        removed_targets: Iterable[str] | None = None,
    ) -> ActivityTargets:
        """Replace the `to` of an activity of this feed, or add to it and take from it."""
        given = {
            "new_targets": new_targets,
            "added_targets": added_targets,
            "removed_targets": removed_targets,
        }
        lists = {
            name: validation.feed_list(value, name) for name, value in given.items() if value is not None
        }
        if not lists or ("new_targets" in lists and len(lists) > 1):
            raise ValidationError("give new_targets, or added_targets and removed_targets", "new_targets")
        if both := set(lists.get("added_targets", ())).intersection(lists.get("removed_targets", ())):
            raise ValidationError(f"{min(both)!r} is both added and removed", "added_targets")
        answer: ActivityTargets = self._api.call(
            "POST",
            f"{self.feed_targets_url}activity_to_targets/",
            self._scope(scopes.FEED_TARGETS, scopes.WRITE),
            body={"foreign_id": foreign_id, "time": time, **lists},
            decode=times.activity_targets,
            repeatable=True,
        )
        return answer

    @property
    def token(self) -> str:
        """The feed's own token, or the one that stream-python keeps with it: all actions on all feeds."""
        return self._token or self._api.tokens.scope(scopes.FEED, scopes.ANY)

    @token.setter
    def token(self, token: str | bytes | None) -> None:
        self._token = token.decode() if isinstance(token, bytes) else token

    @property
    def signature(self) -> str:
        """The packed feed id with the token behind it, the form of the oldest clients."""
        return f"{self.feed_together} {self.token}"

    def create_scope_token(self, resource: str, action: str) -> str:
        """A token for one resource and action of this feed only."""
        return self._api.tokens.scope(resource, action, self.feed_together)

    def get_readonly_token(self) -> str:
        """A token with which this feed can be read, and nothing else."""
        return self.create_scope_token(scopes.ANY, scopes.READ)

    def add_to_signature(self, recipients: Iterable[str]) -> list[str]:
        """`to` targets with tokens behind them, as old servers want them."""
        return [f"{feed} {self.token}" for feed in validation.feed_list(recipients, "recipients")]


def _target(feed: object, user_id: object) -> FeedID:
    if user_id is None:
        [text] = validation.feed_list([feed], "target")
        return FeedID.parse(text)
    return FeedID(validation.validate_feed_slug(feed), validation.validate_user_id(user_id))

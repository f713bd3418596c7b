"""The shapes of answers. Fields that are not named here pass through unchanged."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypeAlias, TypedDict

# Activities carry custom fields beside the known ones (id, actor, verb, object, target, time,
# foreign_id, origin, to, ...), which no TypedDict can express.
Activity: TypeAlias = dict[str, Any]


class Reactions(TypedDict, total=False):
    """Which reactions a read of activities brings along."""

    own: bool
    recent: bool
    counts: bool
    first: bool
    kinds: list[str] | str
    own_children: bool
    own_children_kinds: list[str] | str
    recent_limit: int


class Done(TypedDict):
    duration: str


class Removed(Done):
    removed: str


class AddedActivities(Done):
    activities: list[Activity]


class FoundActivities(Done):
    results: list[Activity]


class FeedPage(Done):
    """`results` holds activities, or groups on aggregated and notification feeds."""

    results: list[dict[str, Any]]
    next: str
    unseen: NotRequired[int]
    unread: NotRequired[int]


class ActivityTargets(Done):
    activity: Activity
    added: list[str]
    removed: list[str]


class Follow(TypedDict):
    feed_id: str
    target_id: str
    created_at: datetime
    updated_at: datetime


class FollowPage(Done):
    results: list[Follow]


class FollowCount(TypedDict):
    feed: str
    count: int


class FollowCounts(TypedDict, total=False):
    followers: FollowCount
    following: FollowCount


class FollowStats(Done):
    results: FollowCounts


class User(TypedDict):
    id: str
    data: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    followers_count: NotRequired[int]
    following_count: NotRequired[int]
    duration: NotRequired[str]


class FoundUsers(Done):
    users: list[User]


class CreatedUsers(Done):
    created_users: list[User]


class DeletedUsers(Done):
    deleted_user_ids: list[str]


class Reaction(TypedDict):
    id: str
    kind: str
    activity_id: str
    user_id: str
    user: User
    data: dict[str, Any]
    parent: str
    latest_children: dict[str, list[Reaction]]
    children_counts: dict[str, int]
    created_at: datetime
    updated_at: datetime
    deleted_at: NotRequired[datetime]
    target_feeds: NotRequired[list[str]]
    own_children: NotRequired[dict[str, list[Reaction]]]
    duration: NotRequired[str]


class ReactionPage(Done):
    results: list[Reaction]
    next: str
    activity: NotRequired[Activity]


class FoundReactions(Done):
    reactions: list[Reaction]


class CollectionEntry(TypedDict):
    id: str
    collection: str
    foreign_id: str
    data: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    duration: NotRequired[str]


class UpsertedEntries(Done):
    data: dict[str, list[dict[str, Any]]]


class EntryList(TypedDict):
    data: list[CollectionEntry]


class SelectedEntries(Done):
    response: EntryList


class StoredFile(Done):
    file: str


class RefreshedFile(Done):
    url: str


class OpenGraph(TypedDict, total=False):
    title: str
    description: str
    type: str
    url: str
    site: str
    site_name: str
    determiner: str
    locale: str
    favicon: str
    original_url: str
    images: list[dict[str, Any]]
    videos: list[dict[str, Any]]
    audios: list[dict[str, Any]]
    duration: str


class AuditLog(TypedDict):
    entity_type: str
    entity_id: str
    action: str
    user_id: str
    custom: dict[str, Any]
    created_at: datetime


class AuditLogPage(Done):
    audit_logs: list[AuditLog]
    next: str
    prev: str


class ExportedIds(TypedDict):
    user_id: str
    activity_count: int
    reaction_count: int
    activity_ids: list[str]
    reaction_ids: list[str]


class Export(Done):
    export: ExportedIds


class ModerationUpdate(TypedDict):
    entity_id: str
    entity_type: str
    success: bool
    error: str


class ModerationUpdates(Done):
    results: list[ModerationUpdate]

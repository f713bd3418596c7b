"""The answers of calls, made of the wire's objects with times as `datetime`.

Fields that are not named here pass through unchanged.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypeAlias, TypedDict

from django_stream.protocol import wire

Activity: TypeAlias = wire.CustomizedActivity
Follow: TypeAlias = wire.Follow[datetime]
User: TypeAlias = wire.User[datetime]
Reaction: TypeAlias = wire.Reaction[datetime]
CollectionEntry: TypeAlias = wire.CollectionEntry[datetime]
AuditLog: TypeAlias = wire.AuditLog[datetime]


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
    removed: NotRequired[str]
    """Absent where there was nothing to remove."""


class AddedActivities(Done):
    activities: list[Activity]


class FoundActivities(Done):
    results: list[Activity]


class FeedPage(wire.FeedPage, Done):
    """`results` holds activities, or groups on aggregated and notification feeds."""


class ActivityTargets(Done):
    activity: Activity
    added: list[str]
    removed: list[str]


class FollowPage(Done):
    results: list[Follow]


class FollowStats(Done):
    results: wire.FollowCounts


class FoundUsers(Done):
    users: list[User]


class CreatedUsers(Done):
    created_users: list[User]


class DeletedUsers(Done):
    deleted_user_ids: list[str]


class ReactionPage(Done):
    results: list[Reaction]
    next: str
    activity: NotRequired[Activity]


class FoundReactions(Done):
    reactions: list[Reaction]


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


class AuditLogPage(Done):
    audit_logs: list[AuditLog]
    next: str
    prev: str


class Export(Done):
    export: wire.ExportedIds
    next: NotRequired[str]


class ModerationUpdates(Done):
    results: list[wire.ModerationUpdate]

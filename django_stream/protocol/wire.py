"""The objects of the wire: what the server writes and the client reads.

`Time` is `str` on the wire and `datetime` where the client has read it: `User[str]`, `User[datetime]`.

Activities carry custom fields beside the known ones, which no TypedDict can express. Inside the server
they are an `Activity`, whose known fields are checked, and the custom ones enter by `with_custom_fields`
alone; for those who read them they are `CustomizedActivity`, any JSON by any name. Custom data elsewhere
has a field of its own (`data`, `custom`) and is typed `Any` there. Nothing else is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, Literal, NotRequired, TypeAlias, TypedDict, TypeVar, cast

from django_stream.protocol.texts import is_text

# An activity's id, and the name of a group.
_ENTRY_ID_LENGTH = 36 + 1 + 255

Time = TypeVar("Time")

CustomizedActivity: TypeAlias = dict[str, Any]
"""An activity or enriched activity with its custom fields, as its reader sees it."""


class Stamped(TypedDict, Generic[Time]):
    """When an object was made and last changed."""

    created_at: Time
    updated_at: Time


class User(Stamped[Time]):
    id: str
    data: dict[str, Any]
    followers_count: NotRequired[int]
    following_count: NotRequired[int]
    duration: NotRequired[str]
    """Here and in other objects: only where the object is the whole answer."""


class UserWithoutProfile(TypedDict, Generic[Time]):
    """Somebody who reacted and is not stored: the times are those of their first reaction."""

    id: str
    created_at: NotRequired[Time]
    updated_at: NotRequired[Time]


class CollectionEntry(Stamped[Time]):
    id: str
    collection: str
    foreign_id: str
    """`collection:id`."""
    data: Any
    duration: NotRequired[str]


class Reaction(Stamped[Time]):
    id: str
    kind: str
    activity_id: str
    user_id: str
    user: User[Time] | UserWithoutProfile[Time]
    data: Any
    parent: str
    """Id of the reaction that this one is about; empty for a reaction to the activity."""
    latest_children: dict[str, list[Reaction[Time]]]
    """By kind, newest first."""
    children_counts: dict[str, int]
    """By kind."""
    own_children: NotRequired[dict[str, list[Reaction[Time]]]]
    target_feeds: NotRequired[list[str]]
    target_feeds_extra_data: NotRequired[Any]
    """Only in the answer to the write that gave it."""
    deleted_at: NotRequired[Time]
    duration: NotRequired[str]


class MissingObject(TypedDict):
    """What stands in for an object that does not exist."""

    id: str
    collection: NotRequired[str]
    error: Literal["ReferenceNotFound"]
    reference: str
    """Such as `SU:bob`."""
    reference_type: str


class ActivityPlace(TypedDict):
    """The fields of an activity that enrichment leaves as they are.

    `time` is UTC without a zone; `to` is absent when empty.
    """

    id: str
    origin: str | None
    """The followed feed that brought it, such as `user:1`."""
    time: str
    to: NotRequired[list[str]]
    is_deleted: NotRequired[Literal[True]]
    """Emptied for reasons of privacy; feeds keep the place."""
    score: NotRequired[float | None]
    """On ranked feeds."""
    score_vars: NotRequired[dict[str, float]]


class Activity(ActivityPlace):
    """The known fields of an activity."""

    actor: str
    verb: str
    object: str
    target: str
    foreign_id: str


ReactionListName: TypeAlias = Literal["latest_reactions", "own_reactions", "first_reactions"]


class NextReactions(TypedDict):
    """The address of the next page of one kind; empty if there is none."""

    next: str


class ActivityReactions(TypedDict, total=False):
    """What enrichment adds to an activity; lists and counts are by kind."""

    latest_reactions: dict[str, list[Reaction[str]]]
    own_reactions: dict[str, list[Reaction[str]]]
    first_reactions: dict[str, list[Reaction[str]]]
    latest_reactions_extra: dict[str, NextReactions]
    reaction_counts: dict[str, int]


class EnrichedActivity(ActivityPlace, ActivityReactions):
    """An activity in whose fields objects stand for references, custom fields included."""

    actor: Enriched
    verb: Enriched
    object: Enriched
    target: Enriched
    foreign_id: Enriched


ReferencedObject: TypeAlias = (
    User[str] | CollectionEntry[str] | Reaction[str] | EnrichedActivity | MissingObject
)
Enriched: TypeAlias = str | ReferencedObject


class ActivityGroup(Stamped[Time]):
    """A group of an aggregated feed, with its newest activities, newest first."""

    id: str
    group: str
    verb: Enriched
    activities: Sequence[Activity | EnrichedActivity]
    activity_count: int
    actor_count: int


class NotificationGroup(ActivityGroup[Time]):
    is_seen: bool
    is_read: bool


class FeedPage(TypedDict):
    """A page of activities, or of groups on aggregated and notification feeds."""

    results: list[CustomizedActivity]
    next: str
    """The address of the next page; empty on the last one."""
    unseen: NotRequired[int]
    """Notification feeds only, as `unread`: how many groups of the whole feed wait."""
    unread: NotRequired[int]


class Follow(Stamped[Time]):
    feed_id: str
    """The feed that follows."""
    target_id: str


class FollowCount(TypedDict):
    feed: str
    count: int


class FollowCounts(TypedDict, total=False):
    followers: FollowCount
    following: FollowCount


class UserFollowCounts(TypedDict):
    followers_count: int
    following_count: int


class AuditLog(TypedDict, Generic[Time]):
    entity_type: str
    entity_id: str
    action: str
    user_id: str
    custom: dict[str, Any]
    created_at: Time


class Flag(TypedDict, Generic[Time]):
    flag_id: str
    entity_type: str
    entity_id: str
    user_id: str
    reason: str
    created_at: Time


class ModerationUpdate(TypedDict):
    entity_id: str
    entity_type: str
    success: bool
    error: str


class ExportedIds(TypedDict):
    user_id: str
    activity_count: int
    reaction_count: int
    activity_ids: list[str]
    reaction_ids: list[str]


class ErrorEnvelope(TypedDict):
    """The body of every refusal."""

    detail: str
    status_code: int
    code: int
    exception: str
    more_info: str
    exception_fields: NotRequired[dict[str, list[str]]]
    """{field: messages}."""
    duration: NotRequired[str]


def is_group(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of a feed's page is a group. Activities may have a custom field of any name."""
    return "activities" in entry and "actor" not in entry


def is_entry_id(text: str) -> bool:
    """Whether a text can be the id of an entry of a feed's page."""
    return 0 < len(text) <= _ENTRY_ID_LENGTH and is_text(text)


def members(entry: Mapping[str, Any]) -> Sequence[Any]:
    """The activities of an entry of a feed's page: those of a group, or the activity itself."""
    return list(entry["activities"]) if is_group(entry) else [entry]


def with_custom_fields(known: Activity, custom: Mapping[str, Any]) -> Activity:
    """The activity with its custom fields; a known field is never overwritten by one of them."""
    return cast("Activity", {**custom, **known})

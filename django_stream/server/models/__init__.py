"""Models of the server half."""

from django_stream.server.models.activities import Activity
from django_stream.server.models.applications import ApiKey, Application
from django_stream.server.models.audit import AuditLog, ModerationFlag, ModerationStatus
from django_stream.server.models.collections import CollectionEntry
from django_stream.server.models.feeds import Exclusion, Feed, Follow, Placement
from django_stream.server.models.files import FileDeletion, StoredFile
from django_stream.server.models.reactions import (
    ChildCount,
    DeletedReaction,
    Reaction,
    ReactionCount,
    ReactionCountChange,
    ReactionJob,
)
from django_stream.server.models.streams import (
    AppStream,
    DeadLetter,
    FeedListening,
    StreamEvent,
    StreamFilter,
    StreamLog,
    StreamReaders,
    StreamWebhook,
)
from django_stream.server.models.timelines import (
    ActivityGroup,
    ActivityGroupEntry,
    FanoutJob,
    FormerGroupEntry,
    GroupChange,
    MarkJob,
    PulledFeed,
    PulledPlacement,
    RemovalJob,
    TimelineChange,
    TimelineDraw,
    TimelineEntry,
    UnfollowJob,
)
from django_stream.server.models.users import StreamUser

__all__ = [
    "Activity",
    "ActivityGroup",
    "ActivityGroupEntry",
    "ApiKey",
    "AppStream",
    "Application",
    "AuditLog",
    "ChildCount",
    "CollectionEntry",
    "DeadLetter",
    "DeletedReaction",
    "Exclusion",
    "FanoutJob",
    "Feed",
    "FeedListening",
    "FileDeletion",
    "Follow",
    "FormerGroupEntry",
    "GroupChange",
    "MarkJob",
    "ModerationFlag",
    "ModerationStatus",
    "Placement",
    "PulledFeed",
    "PulledPlacement",
    "Reaction",
    "ReactionCount",
    "ReactionCountChange",
    "ReactionJob",
    "RemovalJob",
    "StoredFile",
    "StreamEvent",
    "StreamFilter",
    "StreamLog",
    "StreamReaders",
    "StreamUser",
    "StreamWebhook",
    "TimelineChange",
    "TimelineDraw",
    "TimelineEntry",
    "UnfollowJob",
]

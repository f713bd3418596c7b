"""Models of the server half."""

from django_stream.server.models.activities import Activity
from django_stream.server.models.applications import ApiKey, Application
from django_stream.server.models.audit import AuditLog, ModerationFlag, ModerationStatus
from django_stream.server.models.collections import CollectionEntry
from django_stream.server.models.feeds import Exclusion, Feed, Follow, Placement
from django_stream.server.models.files import StoredFile
from django_stream.server.models.reactions import ChildCount, Reaction, ReactionCount
from django_stream.server.models.timelines import ActivityGroup, ActivityGroupEntry, FanoutJob, TimelineEntry
from django_stream.server.models.users import StreamUser

__all__ = [
    "Activity",
    "ActivityGroup",
    "ActivityGroupEntry",
    "ApiKey",
    "Application",
    "AuditLog",
    "ChildCount",
    "CollectionEntry",
    "Exclusion",
    "FanoutJob",
    "Feed",
    "Follow",
    "ModerationFlag",
    "ModerationStatus",
    "Placement",
    "Reaction",
    "ReactionCount",
    "StoredFile",
    "StreamUser",
    "TimelineEntry",
]

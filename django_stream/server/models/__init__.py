"""Models of the server half."""

from django_stream.server.models.activities import Activity
from django_stream.server.models.applications import ApiKey, Application
from django_stream.server.models.audit import AuditLog, ModerationFlag, ModerationStatus
from django_stream.server.models.collections import CollectionEntry
from django_stream.server.models.feeds import Exclusion, Feed, Follow, Placement
from django_stream.server.models.files import StoredFile
from django_stream.server.models.reactions import ChildCount, Reaction, ReactionCount
from django_stream.server.models.timelines import Bucket, BucketEntry, Spread, TimelineEntry
from django_stream.server.models.users import StreamUser

__all__ = [
    "Activity",
    "ApiKey",
    "Application",
    "AuditLog",
    "Bucket",
    "BucketEntry",
    "ChildCount",
    "CollectionEntry",
    "Exclusion",
    "Feed",
    "Follow",
    "ModerationFlag",
    "ModerationStatus",
    "Placement",
    "Reaction",
    "ReactionCount",
    "Spread",
    "StoredFile",
    "StreamUser",
    "TimelineEntry",
]

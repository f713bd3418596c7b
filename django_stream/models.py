"""What models are made with: the mixins, the manager whose bulk operations are seen, and our own tables."""

from django_stream.activities.managers import TrackedManager, TrackedQuerySet
from django_stream.activities.mixins import (
    ActivityMixin,
    CollectionMixin,
    FollowMixin,
    ReactionMixin,
    UserMixin,
)
from django_stream.activities.recorded import RecordedActivity
from django_stream.publishing.models import Checkpoint, OutboxEntry, Publication

__all__ = [
    "ActivityMixin",
    "Checkpoint",
    "CollectionMixin",
    "FollowMixin",
    "OutboxEntry",
    "Publication",
    "ReactionMixin",
    "RecordedActivity",
    "TrackedManager",
    "TrackedQuerySet",
    "UserMixin",
]

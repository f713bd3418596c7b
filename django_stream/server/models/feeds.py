"""Feeds, and the record of who placed what on them."""

from __future__ import annotations

from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from django_stream.database.fields import OrderedUUIDField
from django_stream.protocol.feed_ids import FeedID
from django_stream.server.models.applications import Application


class Feed(models.Model):
    """One feed. Its row is the lock that serialises the writers of the feed and of its follows."""

    id = models.BigAutoField(primary_key=True)
    application = models.ForeignKey(Application, models.CASCADE, db_index=False, related_name="+")
    slug = models.CharField(max_length=255)
    user_id = models.CharField(max_length=255)
    version = models.BigIntegerField(default=0, editable=False)
    """Counts placements; a follow remembers at which number it began and ended."""
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "slug", "user_id"], name="dss_feed_name"),
        ]

    def __str__(self) -> str:
        return f"{self.slug}:{self.user_id}"

    @property
    def feed_id(self) -> FeedID:
        return FeedID(self.slug, self.user_id)


class PlacementQuerySet(models.QuerySet["Placement"]):
    def of_application(self, application_id: int) -> PlacementQuerySet:
        """Those on feeds of an application, to be chosen by keys or feeds as well.

        The feed is looked up for each placement: a database without statistics would begin a join with all
        feeds of the application.
        """
        application = Feed.objects.filter(pk=OuterRef("feed")).values("application")
        return self.alias(of=Subquery(application)).filter(of=application_id)


class Placement(models.Model):
    """An activity was put on a feed: by posting it there, by its `to` list, or by add_to_many."""

    pk = models.CompositePrimaryKey("feed_id", "key")
    feed = models.ForeignKey(Feed, models.CASCADE, db_index=False, related_name="+")
    key = OrderedUUIDField()
    seq = models.BigIntegerField(null=True)
    """The feed's version at that moment; null when followers do not receive it (add_to_many)."""
    targeted = models.BooleanField(default=False)
    """Only a `to` list put it here: it goes with that list's entry or with the activity."""

    objects = PlacementQuerySet.as_manager()

    class Meta:
        # Is an activity anywhere else? Asked at every removal.
        indexes = [models.Index(fields=["key"], name="dss_placement_key")]

    def __str__(self) -> str:
        return f"{self.key} on {self.feed_id}"


class Exclusion(models.Model):
    """An activity that reaches a feed by following was taken off that feed alone."""

    pk = models.CompositePrimaryKey("feed_id", "key")
    feed = models.ForeignKey(Feed, models.CASCADE, db_index=False, related_name="+")
    key = OrderedUUIDField()

    def __str__(self) -> str:
        return f"{self.key} hidden on {self.feed_id}"


class Follow(models.Model):
    """Source receives what is placed on target while the row is open.

    An unfollow that keeps the history closes the row; any other one deletes the pair's rows.
    A placement is admitted when (seq > since_seq or key >= floor_key) and seq <= until_seq.
    """

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Feed, models.CASCADE, db_index=False, related_name="+")
    target = models.ForeignKey(Feed, models.CASCADE, db_index=False, related_name="+")
    since_seq = models.BigIntegerField()
    floor_key = OrderedUUIDField(null=True)
    """The oldest activity copied when the follow began; null when none was."""
    until_seq = models.BigIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "target"],
                condition=models.Q(until_seq__isnull=True),
                name="dss_follow_once",
            ),
        ]
        indexes = [
            # Newest first lists of both directions; fan-out walks the first in id order.
            models.Index(fields=["target", "id"], name="dss_follow_target"),
            models.Index(fields=["source", "id"], name="dss_follow_source"),
            # The follows of a pair, closed ones too.
            models.Index(fields=["source", "target", "id"], name="dss_follow_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} follows {self.target_id}"

"""Materialised timelines of the database store, and what a store outside of it has yet to hear.

Nothing outside `timelines/` touches these rows.
"""

from __future__ import annotations

from typing import Any

from django.db import models

from django_stream.database.fields import OrderedUUIDField


class TimelineEntry(models.Model):
    """One way by which an activity is on a feed.

    `via` is the followed feed, 0 for the feed's own placement, and -1 for an exclusion.
    No foreign keys and no second index: a fan-out writes these rows by the hundred thousand.
    """

    pk = models.CompositePrimaryKey("feed", "key", "via")
    feed = models.BigIntegerField()
    key = OrderedUUIDField()
    via = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "timeline entries"

    def __str__(self) -> str:
        return f"{self.key} on {self.feed} via {self.via}"


class ActivityGroup(models.Model):
    """A group of activities on an aggregated or notification feed."""

    id = models.BigAutoField(primary_key=True)
    feed = models.BigIntegerField()
    name = models.CharField(max_length=255)
    newest = OrderedUUIDField(null=True)
    """Key of the newest activity: gives the group its id and its place. Null while it is being filled."""
    activity_count = models.IntegerField(default=0)
    actor_count = models.IntegerField(default=0)
    is_seen = models.BooleanField(default=True)
    is_read = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    past_changed_at = models.BigIntegerField(default=0, db_default=0)
    """When something left it last, or something backdated came into it; in microseconds since 1970."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["feed", "name"], name="dss_bucket_name")]
        indexes = [
            models.Index(fields=["feed", "newest"], name="dss_bucket_page"),
            # Only the few groups that still wait for their reader: both counts come from this index alone.
            models.Index(
                fields=["feed", "is_seen", "is_read"],
                condition=models.Q(is_seen=False) | models.Q(is_read=False),
                name="dss_bucket_waiting",
            ),
            models.Index(
                fields=["feed", "past_changed_at"],
                condition=models.Q(past_changed_at__gt=0),
                name="dss_bucket_past_changed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} on {self.feed}"


class ActivityGroupEntry(models.Model):
    """An activity is in a group: while a visible way brings it to the feed, in one group of that feed."""

    pk = models.CompositePrimaryKey("feed", "key")
    feed = models.BigIntegerField()
    key = OrderedUUIDField()
    group_id = models.BigIntegerField()
    entered_at = models.BigIntegerField(default=0, db_default=0)
    """In microseconds since 1970; 0 if it was before these were written."""

    class Meta:
        verbose_name_plural = "activity group entries"
        indexes = [models.Index(fields=["group_id", "key"], name="dss_bucketentry_newest")]

    def __str__(self) -> str:
        return f"{self.key} in {self.group_id}"


class GroupChange(models.Model):
    """An activity came to a grouped feed, left it or was edited there, and the feed's groups do not know yet.

    Whoever reads the feed next brings its groups up to date: followers who never look cost one narrow row.
    """

    pk = models.CompositePrimaryKey("feed", "key", "came_at")
    feed = models.BigIntegerField()
    key = OrderedUUIDField()
    came_at = models.BigIntegerField()
    """In microseconds since 1970. In the primary key, so that no writer ever waits for a reader."""

    def __str__(self) -> str:
        return f"{self.key} changed on {self.feed}"


class FormerGroupEntry(models.Model):
    """An activity was in a group: whoever began to read the feed before it left finds the group in its place.

    Times are in microseconds since 1970.
    """

    pk = models.CompositePrimaryKey("group_id", "key", "left_at")
    group_id = models.BigIntegerField()
    key = OrderedUUIDField()
    entered_at = models.BigIntegerField()
    left_at = models.BigIntegerField(db_index=True)

    class Meta:
        verbose_name_plural = "former group entries"

    def __str__(self) -> str:
        return f"{self.key}, formerly in {self.group_id}"


class FanoutJob(models.Model):
    """A large fan-out that is still under way, so that a killed worker loses nothing."""

    class Change(models.TextChoices):
        """What happened to the activities."""

        PLACED = "placed"
        WITHDRAWN = "withdrawn"
        """Even if placed again by now: not all followers may receive that."""
        EDITED = "edited"
        """They have other actors or group names."""

    id = models.BigAutoField(primary_key=True)
    feed = models.BigIntegerField(db_index=True)
    keys: models.JSONField[Any, Any] = models.JSONField()
    """Keys of the activities."""
    change = models.CharField(max_length=9, choices=Change)
    position = models.BigIntegerField(default=0)
    """Id of the last follow served."""
    touched_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"fan-out of {len(self.keys)} activities of feed {self.feed}"


class RemovalJob(models.Model):
    """Activities of one foreign_id are still to be taken off a feed: a crash loses nothing."""

    id = models.BigAutoField(primary_key=True)
    feed = models.BigIntegerField(db_index=True)
    foreign_id = models.CharField(max_length=255)
    before = OrderedUUIDField()
    """Those with smaller keys are left."""
    posted_until = models.BigIntegerField()
    """The feed's version when it was asked for: what was posted there since then stays."""
    kept: models.JSONField[Any, Any] = models.JSONField(default=list)
    """Keys of those that were there and were posted again since then, and of what add_to_many brought."""
    followed: models.JSONField[Any, Any] = models.JSONField(null=True)
    """{id of each follow of the feed: the followed feed's version when it was asked for}.

    What came since then by following stays; all of that, where it is null.
    """
    caller = models.CharField(max_length=255, blank=True)
    """The user who asked for it; empty for the application's own server."""
    touched_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"removal of {self.foreign_id} from feed {self.feed}"


class MarkJob(models.Model):
    """All groups of a feed are being marked, the newest first: a crash loses nothing."""

    class Change(models.TextChoices):
        """What becomes of them."""

        SEEN = "seen"
        READ = "read"
        UNREAD = "unread"

    id = models.BigAutoField(primary_key=True)
    feed = models.BigIntegerField()
    change = models.CharField(max_length=6, choices=Change)
    before = OrderedUUIDField()
    """Those with a smaller key of their newest activity are left .."""
    until = models.DateTimeField()
    """.. of which what grew after this stays as it is."""
    kept: models.JSONField[Any, Any] = models.JSONField(default=list)
    """Ids of groups that were marked the other way since then."""
    touched_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["feed", "change"], name="dss_markjob_change")]

    def __str__(self) -> str:
        return f"groups of feed {self.feed} become {self.change}"


class UnfollowJob(models.Model):
    """What followed feeds brought is still to be taken off their former followers: a crash loses nothing."""

    id = models.BigAutoField(primary_key=True)
    feeds: models.JSONField[Any, Any] = models.JSONField()
    """Of the followers that are left, the first is being looked through."""
    targets: models.JSONField[Any, Any] = models.JSONField()
    """All of them have followed these."""
    before = OrderedUUIDField(null=True)
    """Its entries with smaller keys are left; all, where this is null."""
    touched_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"what {len(self.targets)} feeds brought leaves {len(self.feeds)} others"


class TimelineChange(models.Model):
    """A change of the record that a timeline store outside of the database may not show yet.

    Written with the change, and deleted once the store has confirmed it. Until then those whom it concerns
    read the record.
    """

    class Change(models.TextChoices):
        """What happened."""

        PLACED = "placed"
        WITHDRAWN = "withdrawn"
        """Taken off the feed, or hidden there; even if placed again by now."""
        DROPPED = "dropped"
        """So much changed on the feed that it is computed anew when somebody reads it."""

    id = models.BigAutoField(primary_key=True)
    feed = models.BigIntegerField(db_index=True)
    change = models.CharField(max_length=9, choices=Change)
    keys: models.JSONField[Any, Any] = models.JSONField(default=list)
    """Keys of the activities."""
    is_own = models.BooleanField(default=True)
    """Whether it concerns the feed itself."""
    after = models.BigIntegerField(default=0)
    """It concerns those who follow by the follows with ids above this .."""
    up_to = models.BigIntegerField(default=0)
    """.. and up to this."""

    def __str__(self) -> str:
        return f"feed {self.feed}: {self.change}"


class TimelineDraw(models.Model):
    """A number that is drawn after a change was committed, and before anybody is told of it.

    Who computes a timeline from the record notes the last number drawn: what comes to it under that number or
    a lower one is in it already.
    """

    id = models.BigAutoField(primary_key=True)

    def __str__(self) -> str:
        return str(self.pk)


class PulledFeed(models.Model):
    """A feed with so many followers that these find what is placed on it when they read their flat feeds."""

    feed = models.BigIntegerField(primary_key=True)
    is_open = models.BooleanField(default=True)
    """Whether what comes is still found like that; otherwise only what came until now."""
    newest_seq = models.BigIntegerField(default=0)
    """Of the newest placement that is found like that, or of the last one before there were any."""
    newest_key = OrderedUUIDField(null=True)

    def __str__(self) -> str:
        return f"followers find what is on {self.feed}"


class PulledPlacement(models.Model):
    """A placement that readers find: by all follows that began before it.

    Of one feed, keys grow with the numbers of placements: what is posted late is brought to followers.
    """

    id = models.BigAutoField(primary_key=True)
    feed = models.BigIntegerField()
    seq = models.BigIntegerField()
    """The placement's own: a later placement of the same activity is another one."""
    key = OrderedUUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["feed", "seq"], name="dss_pulled_seq"),
            models.UniqueConstraint(fields=["feed", "key"], name="dss_pulled_key"),
        ]

    def __str__(self) -> str:
        return f"{self.key} found on {self.feed}"

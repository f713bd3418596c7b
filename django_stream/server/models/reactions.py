"""Reactions to activities and to other reactions, and how many there are."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from django_stream.database.fields import OrderedUUIDField
from django_stream.server.models.applications import Application

VISIBLE = Q(deleted_at__isnull=True)
TOP_LEVEL = Q(parent__isnull=True)
# Not ~TOP_LEVEL: SQLite sees that `parent_id = 7` implies IS NOT NULL, but not that it implies NOT (IS NULL).
CHILD = Q(parent__isnull=False)
# Both are true of every reaction: an index with one in its condition serves those statements alone that say
# it. Lists say one, and who looks for one user's reactions to an activity or a reaction says none. For
# PostgreSQL without statistics each equality, and IS NULL, is a condition that hardly any row meets: any
# index of a user's or an activity's reactions is as good to it as the one that finds those few.
# No planner drops them, as some do with IS NOT NULL of a column that is never NULL. They hold no value, as
# SQLite compares conditions by their text. And nobody says half of one, which implies it, in a list.
LISTED = Q(deleted_with__isnull=True) | Q(deleted_with__isnull=False)
LISTED_BY_KIND = Q(target_feeds_extra_data__isnull=True) | Q(target_feeds_extra_data__isnull=False)


class Reaction(models.Model):
    """One reaction. The row's own number is its place: reactions are read in the order of arrival."""

    id = models.BigAutoField(primary_key=True)
    application = models.ForeignKey(Application, models.CASCADE, db_index=False, related_name="+")
    reaction_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=255)
    activity = OrderedUUIDField()
    """Id of the activity, which need not exist here; children have that of their parent."""
    parent = models.ForeignKey("self", models.CASCADE, null=True, db_index=False, related_name="children")
    parent_reaction_id = models.CharField(max_length=255, blank=True)
    """The parent's id on the wire, so that no read has to look it up."""
    level = models.PositiveSmallIntegerField(default=1)
    user_id = models.CharField(max_length=255)
    data: models.JSONField[Any, Any] = models.JSONField(default=dict)
    target_feeds: models.JSONField[Any, Any] = models.JSONField(default=list)
    target_feeds_extra_data: models.JSONField[Any, Any] = models.JSONField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)
    """Softly deleted: by itself, or with the ancestor that `deleted_with` numbers."""
    deleted_with = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "reaction_id"], name="dss_reaction_id"),
        ]
        indexes = [
            # Latest of each kind, for a page of activities and for one kind's list.
            models.Index(
                fields=["application", "activity", "kind", "id"],
                condition=VISIBLE & TOP_LEVEL & LISTED_BY_KIND,
                name="dss_reaction_list_kind",
            ),
            # All kinds of one activity in one list.
            models.Index(
                fields=["application", "activity", "id"],
                condition=VISIBLE & TOP_LEVEL & LISTED,
                name="dss_reaction_list_activity",
            ),
            # One user's on an activity: the reader's own on a page of activities.
            models.Index(
                fields=["application", "user_id", "activity", "kind", "id"],
                condition=VISIBLE & TOP_LEVEL,
                name="dss_reaction_own",
            ),
            # Lists of what a user did, of all kinds and of one.
            models.Index(
                fields=["application", "user_id", "id"],
                condition=LISTED,
                name="dss_reaction_list_user",
            ),
            models.Index(
                fields=["application", "user_id", "kind", "id"],
                condition=VISIBLE & LISTED_BY_KIND,
                name="dss_reaction_list_user_kind",
            ),
            # For cascades and restoring, hence with those that are deleted softly.
            models.Index(fields=["parent", "id"], condition=CHILD, name="dss_reaction_children"),
            # The newest children, of all kinds and of one, however many likes a comment has.
            models.Index(
                fields=["parent", "id"],
                condition=VISIBLE & CHILD & LISTED,
                name="dss_reaction_list_children",
            ),
            models.Index(
                fields=["parent", "kind", "id"],
                condition=VISIBLE & CHILD & LISTED_BY_KIND,
                name="dss_reaction_list_child_kind",
            ),
            models.Index(
                fields=["parent", "user_id", "kind", "id"],
                condition=VISIBLE & CHILD,
                name="dss_reaction_own_children",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.user_id}"


class ReactionCount(models.Model):
    """How many visible reactions of a kind an activity has: changed by each write, never counted."""

    pk = models.CompositePrimaryKey("application_id", "activity", "kind")
    application = models.ForeignKey(Application, models.CASCADE, db_index=False, related_name="+")
    activity = OrderedUUIDField()
    kind = models.CharField(max_length=255)
    count = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.count} {self.kind} on {self.activity}"


class ReactionCountChange(models.Model):
    """A reaction stopped counting, or counts again: readers of ranked feeds go on with the count before.

    Reactions that are new need no note, since their rows are numbered.
    """

    id = models.BigAutoField(primary_key=True)
    application = models.ForeignKey(Application, models.CASCADE, db_index=False, related_name="+")
    activity = OrderedUUIDField()
    kind = models.CharField(max_length=255)
    reaction = models.BigIntegerField()
    """The number of its row."""
    step = models.SmallIntegerField()
    """-1 or 1."""
    changed_at = models.DateTimeField(db_index=True)

    class Meta:
        indexes = [models.Index(fields=["application", "activity", "id"], name="dss_count_change")]

    def __str__(self) -> str:
        return f"{self.step:+d} {self.kind} on {self.activity}"


class ChildCount(models.Model):
    """The same for the children of a reaction."""

    pk = models.CompositePrimaryKey("parent_id", "kind")
    parent = models.ForeignKey(Reaction, models.CASCADE, db_index=False, related_name="+")
    kind = models.CharField(max_length=255)
    count = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.count} {self.kind} under reaction {self.parent_id}"


class ReactionJob(models.Model):
    """Reactions below one that was deleted or restored are still to follow it: a crash loses nothing."""

    root = models.BigIntegerField(primary_key=True)
    """The number of that reaction's row."""
    position = models.BigIntegerField(default=0)
    """The number of the last child that was looked at."""
    caller = models.CharField(max_length=255, blank=True)
    """The user who asked for it; empty for the application's own server."""
    touched_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"reactions below {self.root}"


class DeletedReaction(models.Model):
    """Where a reaction was that is gone: whoever reads a list goes on from there."""

    pk = models.CompositePrimaryKey("application_id", "reaction_id")
    application = models.ForeignKey(Application, models.CASCADE, db_index=False, related_name="+")
    reaction_id = models.CharField(max_length=255)
    place = models.BigIntegerField()
    """The number of its row."""
    deleted_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.reaction_id

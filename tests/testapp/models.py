"""Models of the test project, one for each way of being tracked."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.auth.models import User as AuthUser
from django.db import models
from django.utils import timezone

from django_stream.models import (
    ActivityMixin,
    CollectionMixin,
    FollowMixin,
    ReactionMixin,
    UserMixin,
)
from tests.testapp.houses import Building, BuildingWatch, Station, Tower, TowerWatch
from tests.testapp.people import Block, Moment, Mute, Praise, Quote, Whisper
from tests.testapp.pins import Pin
from tests.testapp.shop import Alert, Bookmark, Introduction, Note, Product, Review, Vote
from tests.testapp.watched import Cheer, Gauge

__all__ = [
    "Alert",
    "Block",
    "Bookmark",
    "Building",
    "BuildingWatch",
    "Cheer",
    "Gauge",
    "Introduction",
    "Moment",
    "Mute",
    "Note",
    "Pin",
    "Praise",
    "Product",
    "Quote",
    "Review",
    "Station",
    "Tower",
    "TowerWatch",
    "Vote",
    "Whisper",
]

User = settings.AUTH_USER_MODEL


class Article(ActivityMixin, models.Model):
    """Every option of a declaration, and a switch to keep a row out."""

    author = models.ForeignKey(User, models.CASCADE, related_name="articles")
    editor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    title = models.CharField(max_length=100)
    notes = models.CharField(max_length=100, blank=True)
    is_public = models.BooleanField(default=True)
    published_at = models.DateTimeField(default=timezone.now)
    mentioned: Any = models.ManyToManyField(User, related_name="mentions")

    class Activity:
        actor = "author"
        verb = "publish"
        target = "editor"
        time = "published_at"
        to = "mentioned"
        notify_self = True
        extra = ("title", "author.username")
        should_publish = "is_public"

    def __str__(self) -> str:
        return self.title

    @classmethod
    def activity_related_models(cls) -> list[str]:
        return ["author"]


class Comment(ActivityMixin, models.Model):
    """Goes with its article, by cascade."""

    user = models.ForeignKey(User, models.CASCADE)
    article = models.ForeignKey(Article, models.CASCADE, related_name="comments")
    text = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now)

    class Activity:
        target = "article"


class Tag(ActivityMixin, models.Model):
    """A primary key that is text and may hold anything."""

    name = models.CharField(max_length=50, primary_key=True)
    user = models.ForeignKey(User, models.CASCADE)
    created_at = models.DateTimeField(default=timezone.now)


class Reading(ActivityMixin, models.Model):
    """A primary key of two columns."""

    pk = models.CompositePrimaryKey("reader_id", "article_id")
    reader = models.ForeignKey(User, models.CASCADE)
    article = models.ForeignKey(Article, models.CASCADE)
    created_at = models.DateTimeField(default=timezone.now)

    class Activity:
        actor = "reader"
        object = "article"


class Photo(ActivityMixin, models.Model):
    """In the style of stream-django: nothing declared, properties overridden."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    owner = models.ForeignKey(User, models.CASCADE)
    created_at = models.DateTimeField(default=timezone.now)

    @property
    def activity_actor_attr(self) -> Any:
        return self.owner

    @property
    def extra_activity_data(self) -> dict[str, Any]:
        return {"popularity": 9000}

    @property
    def activity_notify(self) -> list[Any]:
        return ["notification:everybody"]


class Subscription(FollowMixin, models.Model):
    """One reader follows another."""

    reader = models.ForeignKey(User, models.CASCADE, related_name="subscriptions")
    writer = models.ForeignKey(User, models.CASCADE, related_name="subscribers")

    class Follows:
        follower = "reader"
        followed = "writer"


class Plain(models.Model):
    """Not tracked: what a tracked save is compared with."""

    title = models.CharField(max_length=100)


class Badge(models.Model):
    """Tracked by a call of `register`, since it could have been anybody's model."""

    user = models.ForeignKey(User, models.CASCADE)
    group = models.ForeignKey(Group, models.CASCADE)
    won_at = models.DateTimeField(default=timezone.now)


class Album(ActivityMixin, CollectionMixin, models.Model):
    """An event, and a collection entry that other clients can show."""

    owner = models.ForeignKey(User, models.CASCADE)
    title = models.CharField(max_length=100)
    released = models.DateField(null=True)
    price = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    created_at = models.DateTimeField(default=timezone.now)

    class Activity:
        actor = "owner"
        watch = ("owner", "created_at")

    class Collection:
        name = "albums"
        fields = ("title", "released", "price")


class Member(UserMixin, models.Model):
    """Mirrored as a user of the API."""

    email = models.CharField(max_length=100, primary_key=True)
    name = models.CharField(max_length=100)

    class StreamUser:
        fields = ("name",)


class Opinion(ReactionMixin, models.Model):
    """A reaction to an article, of which its author is told."""

    user = models.ForeignKey(User, models.CASCADE)
    article = models.ForeignKey(Article, models.CASCADE, related_name="opinions")
    text = models.CharField(max_length=100)
    stars = models.FloatField(null=True, blank=True)

    class Reaction:
        activity = "article"
        kind = "opinion"
        fields = ("text",)
        to = "article.author"
        notify_self = True


class Media(ActivityMixin, models.Model):
    """The concrete parent of two tables."""

    user = models.ForeignKey(User, models.CASCADE)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        base_manager_name = "objects"


class Video(Media):
    """A row of two tables: one activity, in the child's words."""

    seconds = models.PositiveIntegerField(default=0)

    class Activity:
        verb = "film"
        extra = ("seconds",)


class Clip(Video):
    """A proxy: the same rows by another name."""

    class Meta:
        proxy = True


class Guest(AuthUser):
    """The users by another name, with signals of its own."""

    class Meta:
        proxy = True


class Club(models.Model):
    """Follows by a many-to-many field, which a call of `register_follows` tells of."""

    name = models.CharField(max_length=50)
    watched: Any = models.ManyToManyField(User, related_name="watching_clubs")
    allies: Any = models.ManyToManyField("self")


class Brand(models.Model):
    """Followed by a key that is not its primary key."""

    code = models.CharField(max_length=20, unique=True)


class Fan(FollowMixin, models.Model):
    """Its keys lead to other columns than primary keys."""

    follower = models.ForeignKey(User, models.CASCADE, to_field="username", related_name="+")
    followed = models.ForeignKey(Brand, models.CASCADE, to_field="code", related_name="+")

"""Posts, follows and likes: ordinary models that tell the feeds what happened."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from django_stream.activities.mixins import ActivityMixin, FollowMixin
from django_stream.activities.owners import feed_id
from django_stream.protocol.feed_ids import FeedID

PUBLIC_FEED = FeedID("public", "everyone")
"""What visitors see: all posts of all people."""


def _also_shown_in(post: Post) -> list[FeedID]:
    """Besides the followers' timelines: the public page, and the author's own home."""
    return [PUBLIC_FEED, feed_id("timeline", post.author_id)]


class Post(ActivityMixin, models.Model):
    """A short text by one person."""

    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="posts")
    text = models.TextField(max_length=500)
    created_at = models.DateTimeField(default=timezone.now)

    class Activity:
        actor = "author"
        verb = "post"
        time = "created_at"
        to = _also_shown_in
        extra = ("text",)

    def __str__(self) -> str:
        return self.text

    def get_absolute_url(self) -> str:
        return reverse("post", args=[self.pk])

    @classmethod
    def activity_related_models(cls) -> list[str]:
        return ["author"]


class Follow(FollowMixin, models.Model):
    """One person follows another."""

    follower = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="following")
    followed = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="followers")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["follower", "followed"], name="follow_once"),
            models.CheckConstraint(
                condition=~models.Q(follower=models.F("followed")), name="nobody_follows_oneself"
            ),
        )

    def __str__(self) -> str:
        return f"{self.follower} follows {self.followed}"


class Like(ActivityMixin, models.Model):
    """One person likes a post; its author is notified."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="likes")
    post = models.ForeignKey(Post, models.CASCADE, related_name="likes")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "post"], name="like_once"),)

    class Activity:
        verb = "like"
        object = "post"
        watch = ("user", "post")

    @property
    def activity_notify(self) -> list[Any]:
        return [] if self.post.author_id == self.user_id else [self.post.author]

    def __str__(self) -> str:
        return f"{self.user} likes {self.post}"

"""Posts and what people do about them: ordinary models that tell the feeds what happened."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from django_stream.feeds import feed_manager
from django_stream.models import ActivityMixin, FollowMixin, ReactionMixin
from example_project.social.people import Block, Mute, Profile

__all__ = ["PUBLIC_FEED", "Block", "Comment", "Follow", "Like", "Mute", "Post", "Profile"]

PUBLIC_FEED = "public:everyone"
"""What visitors see: all posts of all people, as far as each visitor may see them."""


def _also_shown_in(post: Post) -> list[Any]:
    """Besides the followers' timelines: the public page, and the author's own home."""
    return [PUBLIC_FEED, feed_manager.get_feed("timeline", post.author_id)]


class Post(ActivityMixin, models.Model):
    """A short text by one person, perhaps with an image, or with a preview of the page that it links to."""

    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="posts")
    text = models.TextField(max_length=500)
    image = models.CharField(max_length=500, blank=True)
    """The address of an upload: the feed server keeps images, and takes out where they were made."""
    image_alt = models.CharField(max_length=300, blank=True)
    preview = models.JSONField(default=dict, blank=True)
    """What the linked page said of itself when the post was written: nothing is fetched to show a page."""
    popularity = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(default=timezone.now)

    class Activity:
        actor = "author"
        verb = "post"
        time = "created_at"
        to = _also_shown_in
        # For the ranking. Texts stay in this table, where `visible_to` guards them.
        extra = ("popularity",)

    @staticmethod
    def visible_to(viewer: Any, posts: models.QuerySet[Post]) -> models.QuerySet[Post]:
        """Posts of a private account are for its owner and for those who were let in."""
        let_in = Follow.objects.filter(follower=viewer.pk, followed=OuterRef("author"), is_accepted=True)
        return posts.filter(~Q(author__profile__is_private=True) | Q(author=viewer.pk) | Exists(let_in))

    @classmethod
    def activity_related_models(cls) -> list[str]:
        return ["author"]

    def __str__(self) -> str:
        return self.text

    def get_absolute_url(self) -> str:
        return reverse("post", args=[self.pk])


def count_popularity(posts: models.QuerySet[Post]) -> None:
    """Count likes and comments anew. `popularity` is published, so the update reaches the feeds."""

    def number(model: type[models.Model]) -> Coalesce:
        rows = model._default_manager.filter(post=OuterRef("pk")).order_by().values("post")
        return Coalesce(models.Subquery(rows.values(total=Count("pk"))), 0)

    posts.update(popularity=1 + number(Like) + number(Comment))


class Follow(FollowMixin, ActivityMixin, models.Model):
    """One person follows another, or asks to: private accounts let followers in one by one."""

    follower = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="following")
    followed = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="followers")
    is_accepted = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["follower", "followed"], name="follow_once"),
            models.CheckConstraint(
                condition=~models.Q(follower=models.F("followed")), name="nobody_follows_oneself"
            ),
        )

    class Follows:
        should_publish = "is_accepted"

    class Activity:
        # For the notifications of who is followed, and nobody else's feeds.
        actor = "follower"
        verb = "follow"
        to = "followed"
        to_only = True

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
        to = "post.author"
        watch = ("user", "post")

    def __str__(self) -> str:
        return f"{self.user} likes {self.post}"


class Comment(ReactionMixin, models.Model):
    """One person answers a post: a reaction to its activity, of which the post's author is told."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="comments")
    post = models.ForeignKey(Post, models.CASCADE, related_name="comments")
    text = models.TextField(max_length=300)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("created_at", "pk")

    class Reaction:
        activity = "post"
        to = "post.author"

    def __str__(self) -> str:
        return self.text

"""Likes of the posts on a page, in one query."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, Q

from example_project.social.models import Like, Post


def count_likes(shown: Iterable[Any], user: Any) -> None:
    """Give each post among these objects its `like_count`, and `is_liked` by this user."""
    posts = [one for one in shown if isinstance(one, Post)]
    rows = (
        Like.objects.filter(post__in={post.pk for post in posts})
        .values_list("post")
        .annotate(total=Count("pk"), own=Count("pk", filter=Q(user=user.pk)))
    )
    counts = {pk: (total, bool(own)) for pk, total, own in rows}
    for post in posts:
        post.like_count, post.is_liked = counts.get(post.pk, (0, False))

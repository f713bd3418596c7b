"""`manage.py load_demo`: people, posts, follows, likes and comments, all through the models."""

from __future__ import annotations

import hashlib
import zlib
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from django_stream import notifications
from django_stream.models import OutboxEntry
from django_stream.tracking import drain
from example_project.history.models import Commit
from example_project.social.demo import (
    ANSWERS,
    ASKING,
    GUIDE,
    PASSWORD,
    PEOPLE,
    PICTURES,
    PREVIEWS,
    PRIVATE,
    SAYINGS,
    WORKS,
)
from example_project.social.demo_pictures import painted
from example_project.social.models import Comment, Follow, Like, Post, Profile, count_popularity


class Command(BaseCommand):
    help = "Load the demo's people and what they say, once; what was changed since then stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("everybody knows the demo's password: it is for DEBUG only")
        if User.objects.filter(username__in=[person.username for person in PEOPLE]).exists():
            self.stdout.write("The demo's people are here already.")
        else:
            with transaction.atomic():
                _load()
            self.stdout.write(
                f"{len(PEOPLE)} people, {Post.objects.count()} posts, {Follow.objects.count()} follows, "
                f"{Like.objects.count()} likes and {Comment.objects.count()} comments are on their way "
                "to the feeds."
            )
        # A run that was stopped after its commit left its changes in the outbox.
        drain("default")
        if waiting := OutboxEntry.objects.count():
            self.stderr.write(f"Still in the outbox: {waiting}; /admin/ tells why.")
        self.stdout.write(
            "\n"
            "  /           what everyone posts; your own timeline once you are signed in\n"
            f"  /sign-in/   as {GUIDE!r} or any of the others, password {PASSWORD!r}\n"
            f"  /sign-in/   as {PRIVATE!r}: a private account, whom two people ask to be let in\n"
            f"  /admin/     as {GUIDE!r}: the outbox, and the action 'Publish to feeds'\n"
            "  /api/v1.0/  the Stream API that serves these feeds\n"
            f"  manage.py stream_digests prints the e-mail that {GUIDE!r} asked for\n"
        )


def _load() -> None:
    password = make_password(PASSWORD)
    people = {
        person.username: User.objects.create(
            username=person.username,
            first_name=person.first_name,
            last_name=person.last_name,
            email=f"{person.username}@example.com",
            password=password,
            is_staff=person.username == GUIDE,
            is_superuser=person.username == GUIDE,
        )
        for person in PEOPLE
    }
    notifications.set_digest(people[GUIDE], "daily")
    _follow(people)
    _work(people)
    posts = _say(people)
    _like(people, posts)
    _answer(people, posts)
    count_popularity(Post.objects.all())


def _follow(people: dict[str, User]) -> None:
    Follow.objects.bulk_create(
        Follow(follower=people[person.username], followed=people[name])
        for person in PEOPLE
        for name in person.follows.split()
    )
    Profile.objects.create(user=people[PRIVATE], is_private=True)
    for name in ASKING:
        Follow.objects.create(follower=people[name], followed=people[PRIVATE], is_accepted=False)


def _say(people: dict[str, User]) -> list[Post]:
    now = timezone.now()
    posts = [
        Post(author=people[one.author], text=one.text, created_at=now - timedelta(hours=one.hours))
        for one in reversed(SAYINGS)
    ]
    for picture in PICTURES:
        post = _beginning(posts, picture.post)
        post.image, post.image_alt = painted(picture.name), picture.alt
    for preview in PREVIEWS:
        told = {"title": preview.title, "description": preview.description, "site_name": preview.site_name}
        _beginning(posts, preview.post).preview = {**told, "url": preview.url}
    return Post.objects.bulk_create(posts)


def _beginning(posts: list[Post], words: str) -> Post:
    return next(post for post in posts if post.text.startswith(words))


def _answer(people: dict[str, User], posts: list[Post]) -> None:
    now = timezone.now()
    Comment.objects.bulk_create(
        Comment(
            user=people[one.author],
            post=_beginning(posts, one.post),
            text=one.text,
            created_at=now - timedelta(hours=one.hours),
        )
        for one in ANSWERS
    )


def _work(people: dict[str, User]) -> None:
    now = timezone.now()
    Commit.objects.bulk_create(
        Commit(
            sha=hashlib.sha256(one.subject.encode()).hexdigest()[:40],
            author=people[one.author],
            time=now - timedelta(hours=one.hours),
            subject=one.subject,
            areas=one.areas,
            files=one.files,
        )
        for one in WORKS
    )


def _like(people: dict[str, User], posts: list[Post]) -> None:
    """Every follower likes some posts, the same ones in every demo, soon after they appeared."""
    now = timezone.now()
    Like.objects.bulk_create(
        Like(
            user=people[person.username], post=post, created_at=post.created_at + (now - post.created_at) / 3
        )
        for post in posts
        for person in PEOPLE
        if post.author.username in person.follows.split()
        and zlib.crc32(f"{person.username} {post.text}".encode()) % 10 < 3
    )

"""`manage.py load_demo`: people, posts, follows and likes, all through the models."""

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

from django_stream.models import OutboxEntry
from django_stream.tracking import drain
from example_project.history.models import Commit
from example_project.social.demo import GUIDE, PASSWORD, PEOPLE, SAYINGS, WORKS
from example_project.social.models import Follow, Like, Post


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
                f"{len(PEOPLE)} people, {Post.objects.count()} posts, {Follow.objects.count()} follows "
                f"and {Like.objects.count()} likes are on their way to the feeds."
            )
        # A run that was stopped after its commit left its changes in the outbox.
        drain("default")
        if waiting := OutboxEntry.objects.count():
            self.stderr.write(f"Still in the outbox: {waiting}; /admin/ tells why.")
        self.stdout.write(
            "\n"
            "  /           what everyone posts; your own timeline once you are signed in\n"
            f"  /sign-in/   as {GUIDE!r} or any of the others, password {PASSWORD!r}\n"
            f"  /admin/     as {GUIDE!r}: the outbox, and the action 'Publish to feeds'\n"
            "  /api/v1.0/  the Stream API that serves these feeds\n"
        )


def _load() -> None:
    password = make_password(PASSWORD)
    people = {
        person.username: User.objects.create(
            username=person.username,
            first_name=person.first_name,
            last_name=person.last_name,
            password=password,
            is_staff=person.username == GUIDE,
            is_superuser=person.username == GUIDE,
        )
        for person in PEOPLE
    }
    _follow(people)
    _work(people)
    _like(people, _say(people))


def _follow(people: dict[str, User]) -> None:
    Follow.objects.bulk_create(
        Follow(follower=people[person.username], followed=people[name])
        for person in PEOPLE
        for name in person.follows.split()
    )


def _say(people: dict[str, User]) -> list[Post]:
    now = timezone.now()
    return Post.objects.bulk_create(
        Post(author=people[one.author], text=one.text, created_at=now - timedelta(hours=one.hours))
        for one in reversed(SAYINGS)
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

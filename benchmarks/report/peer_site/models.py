"""What the report's site is about, with the same columns."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone


class Said(models.Model):
    """An ordinary row."""

    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    title = models.CharField(max_length=100)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.title


class Post(Said):
    """One of five."""


class Photo(Said):
    """One of five."""


class Review(Said):
    """One of five."""


class Event(Said):
    """One of five."""


class Song(Said):
    """One of five."""


SAID: tuple[type[Said], ...] = (Post, Photo, Review, Event, Song)

"""A site of five tracked models, and one that says nothing."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from benchmarks.report.peer_site.said import Said
from django_stream.models import ActivityMixin


class Silent(Said):
    """Not tracked: the bare save."""


class Mute(models.Model):
    """One person hears nothing of another."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    of = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.by_id} mutes {self.of_id}"


class Post(ActivityMixin, Said):
    """Tracked, as its siblings."""


class Photo(ActivityMixin, Said):
    """Tracked, as its siblings."""


class Review(ActivityMixin, Said):
    """Tracked, as its siblings."""


class Event(ActivityMixin, Said):
    """Tracked, as its siblings."""


class Song(ActivityMixin, Said):
    """Tracked, as its siblings."""


TRACKED: tuple[type[Said], ...] = (Post, Photo, Review, Event, Song)

"""The five models of the report's site, without ours."""

from __future__ import annotations

from .said import Said


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

"""The `class Activity:` of a model: which fields tell the actor, verb, object, time and targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.db import models

from django_stream.activities.options import read_declaration
from django_stream.activities.paths import Source

PATHS = ("actor", "object", "target", "time", "to", "should_publish")
"""Options that are field paths or callables. A verb may be a fixed text."""


@dataclass(frozen=True, slots=True)
class ActivityDeclaration:
    """What a model declared; None leaves the mixin's default in force."""

    actor: Source | None = None
    verb: Source | None = None
    object: Source | None = None
    target: Source | None = None
    time: Source | None = None
    to: Source | None = None
    extra: Sequence[str] = ()
    should_publish: Source | None = None
    feed: str | None = None
    """Slug of the author's feed, when it is not STREAM_USER_FEED."""
    watch: Sequence[str] | None = None
    """Fields whose change republishes; by default every field the declaration names."""

    @classmethod
    def of(cls, model: type[models.Model]) -> ActivityDeclaration:
        """Read the model's `class Activity`, once; unknown names are left to the checks."""
        return _declaration_of(model)

    def sources(self) -> dict[str, Source]:
        """Every path and callable by the option that holds it; a fixed verb is not one."""
        named = {name: getattr(self, name) for name in PATHS if getattr(self, name) is not None}
        return named | {f"extra[{index}]": path for index, path in enumerate(self.extra)}


@cache
def _declaration_of(model: type[models.Model]) -> ActivityDeclaration:
    return read_declaration(ActivityDeclaration, model, "Activity")

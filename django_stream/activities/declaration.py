"""The `class Activity:` of a model: which fields tell the actor, verb, object, time and targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from django.db import models

from django_stream.activities.options import read_declaration
from django_stream.activities.paths import FixedFeeds, Source, fixed_or_source

PATHS = ("actor", "object", "target", "time", "to", "should_publish", "to_only")
"""Options that are field paths or callables. A verb may be a fixed text, `to_only` a fixed answer."""

STREAM_DJANGO = "stream-django"
"""The one value of `identity`."""


@dataclass(frozen=True, slots=True)
class ActivityDeclaration:
    """What a model declared; None leaves the mixin's default in force."""

    actor: Source | None = None
    verb: Source | None = None
    object: Source | None = None
    target: Source | None = None
    time: Source | None = None
    to: Source | Sequence[str] | None = None
    """Also a list of feed ids, which are the same for all rows."""
    to_only: Source | bool = False
    """True: only the feeds of `to` get the activity, and not the actor's own, which followers read."""
    notify_self: bool = False
    """Whether an actor who is also among `to` is told."""
    extra: Sequence[str] = ()
    should_publish: Source | None = None
    feed: str | None = None
    """Slug of the author's feed, when it is not STREAM_USER_FEED."""
    watch: Sequence[str] | None = None
    """Fields whose change republishes; by default every field the declaration names."""
    identity: str | None = None
    """"stream-django": foreign ids, times and owners as that package sent them; nothing is doubled."""
    capture: str | None = None
    """"database": triggers note the changes, and not Django's signals."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "to", fixed_or_source(self.to))

    @classmethod
    def of(cls, model: type[models.Model]) -> ActivityDeclaration:
        """Read the model's `class Activity`, once; unknown names are left to the checks."""
        return _declaration_of(model)

    def sources(self) -> dict[str, Source]:
        """Every path and callable by the option that holds it; a fixed verb is not one."""
        values = {name: getattr(self, name) for name in PATHS}
        if callable(self.verb):
            values["verb"] = self.verb
        if isinstance(self.to_only, bool):
            del values["to_only"]
        named = {
            name: value
            for name, value in values.items()
            if value is not None and not isinstance(value, FixedFeeds)
        }
        return named | {f"extra[{index}]": path for index, path in enumerate(self.extra)}


@cache
def _declaration_of(model: type[models.Model]) -> ActivityDeclaration:
    return read_declaration(ActivityDeclaration, model, "Activity")

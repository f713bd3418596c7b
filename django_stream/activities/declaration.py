"""The `class Activity:` of a model: which fields tell the actor, verb, object, time and targets."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import models

from django_stream.activities.options import options_of
from django_stream.activities.paths import Source, broken_segment, field_names

# A misspelling shares at least so much with what was meant; 'following' is as near to two names.
_NEAR, _AS_NEAR = 0.6, 0.05
# What the API makes of an activity; a further field of that name never arrives.
_OF_THE_API = {
    *("id", "actor", "verb", "object", "target", "time", "foreign_id", "to", "origin"),
    *("own_reactions", "latest_reactions", "reaction_counts"),
}
_PATHS = ("actor", "object", "target", "time", "to", "should_publish")


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
        named = {name: getattr(self, name) for name in _PATHS if getattr(self, name) is not None}
        return named | {f"extra[{index}]": path for index, path in enumerate(self.extra)}


@cache
def _declaration_of(model: type[models.Model]) -> ActivityDeclaration:
    known = set(option_names())
    return ActivityDeclaration(**{name: value for name, value in declared(model).items() if name in known})


def option_names() -> list[str]:
    return [field.name for field in fields(ActivityDeclaration)]


def declared(model: type[models.Model]) -> dict[str, Any]:
    """Options of `class Activity`."""
    return options_of(model, "Activity")


def check_declaration(model: type[models.Model], options: dict[str, Any] | None = None) -> list[CheckMessage]:
    """Declared names that do not exist, each with the nearest one that does."""
    options = declared(model) if options is None else options
    problems: list[CheckMessage] = [
        Error(
            f"{model._meta.label}: class Activity has no option '{name}'.",
            hint=nearest(name, option_names()),
            obj=model,
            id="django_stream.E001",
        )
        for name in options
        if name not in option_names()
    ]
    lists = [name for name in ("extra", "watch") if isinstance(options.get(name), str)]
    problems += [not_a_list(model, f"Activity.{name}", options[name]) for name in lists]
    known = {name: value for name, value in options.items() if name in option_names() and name not in lists}
    declaration = ActivityDeclaration(**known)
    if not (declaration.verb is None or _is_source(declaration.verb)):
        problems.append(_not_a_path(model, "verb", declaration.verb, "Give a text, or a callable that"))
    problems += [_taken(model, path) for path in declaration.extra if wire_name(path) in _OF_THE_API]
    for option, source in declaration.sources().items():
        if not _is_source(source):
            problems.append(_not_a_path(model, option, source))
        elif broken := broken_segment(model, source):
            problems.append(_no_such_field(model, option, *broken))
    own_fields, watched = field_names(model), declaration.watch or ()
    problems += [_no_such_field(model, "watch", model, name) for name in watched if name not in own_fields]
    return problems


def not_a_list(model: type[models.Model], option: str, value: str) -> CheckMessage:
    """A text where a list of names belongs, whose letters would be taken for names."""
    return Error(
        f"{model._meta.label}: {option} is the text {value!r}.",
        hint=f"It must be a list: [{value!r}].",
        obj=model,
        id="django_stream.E003",
    )


def _is_source(value: object) -> bool:
    return callable(value) or isinstance(value, str)


def _no_such_field(
    model: type[models.Model], option: str, where: type[models.Model], name: str
) -> CheckMessage:
    fixed = option == "to" and ":" in name
    return Error(
        f"{model._meta.label}: Activity.{option} names '{name}', which {where._meta.label} does not have.",
        hint=f"For a fixed feed: to = lambda row: ['{name}']" if fixed else nearest(name, field_names(where)),
        obj=model,
        id="django_stream.E002",
    )


def _not_a_path(
    model: type[models.Model],
    option: str,
    source: object,
    give: str = "Give the name of a field, a dotted path from one, or a callable that",
) -> CheckMessage:
    return Error(
        f"{model._meta.label}: Activity.{option} is {source!r}.",
        hint=f"{give} takes the instance.",
        obj=model,
        id="django_stream.E003",
    )


def _taken(model: type[models.Model], path: str) -> CheckMessage:
    return Warning(
        f"{model._meta.label}: Activity.extra names '{path}', which the API fills in itself.",
        hint="Pages have it in `activity.object`; or give it another name in extra_activity_data.",
        obj=model,
        id="django_stream.W043",
    )


def wire_name(path: str) -> str:
    """The name of a further field in the activity."""
    return path.replace(".", "_")


def nearest(name: str, valid: list[str]) -> str:
    """The valid name that was probably meant, those that are about as near, or all of them."""
    ratios = {one: difflib.SequenceMatcher(None, one, name).ratio() for one in valid}
    best = max(ratios.values(), default=0.0)
    near = [f"'{one}'" for one, ratio in ratios.items() if ratio > best - _AS_NEAR]
    return f"Did you mean {' or '.join(near)}?" if best >= _NEAR else "Valid names: " + ", ".join(valid) + "."

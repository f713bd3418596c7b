"""System checks of `class Activity`, and of what is given to `register` in its place."""

from __future__ import annotations

from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.db import models

from django_stream.activities.checks.messages import not_a_list, unknown_option
from django_stream.activities.checks.paths import check_paths
from django_stream.activities.checks.values import check_feed_ids, check_values
from django_stream.activities.checks.wire_forms import check_extra
from django_stream.activities.declaration import STREAM_DJANGO, ActivityDeclaration
from django_stream.activities.kinds import ACTIVITIES
from django_stream.activities.options import option_names
from django_stream.activities.paths import broken_segment, field_names, wire_name
from django_stream.activities.representation import (
    default_actor_is_missing,
    default_time_is_missing,
    overrides,
    represents_itself,
)
from django_stream.protocol.suggestions import did_you_mean

# The API fills these in itself; an extra field of such a name never arrives.
_OF_THE_API = {
    *("id", "actor", "verb", "object", "target", "time", "foreign_id", "to", "origin"),
    *("own_reactions", "latest_reactions", "reaction_counts"),
}


def check_activity_options(model: type[models.Model], options: dict[str, Any]) -> list[CheckMessage]:
    """All checks of the options of `class Activity`, wherever they were given."""
    return [
        *check_declaration(model, options),
        *check_defaults(model, options),
        *check_paths(model, options),
    ]


def check_declaration(model: type[models.Model], options: dict[str, Any]) -> list[CheckMessage]:
    """Options and fields that do not exist, each with the nearest one that does; values of the wrong type."""
    valid = option_names(ActivityDeclaration)
    problems = [
        unknown_option(model, "Activity", name, valid, id="django_stream.E001")
        for name in options
        if name not in valid
    ]
    texts = [name for name in sorted(ACTIVITIES.lists) if isinstance(options.get(name), str)]
    problems += [not_a_list(model, f"Activity.{name}", options[name]) for name in texts]
    declaration = ActivityDeclaration(
        **{name: value for name, value in options.items() if name in valid and name not in texts}
    )
    if not (declaration.verb is None or _is_source(declaration.verb)):
        problems.append(
            _not_a_path(model, "verb", declaration.verb, "Give a text, or a callable that takes the instance")
        )
    return [
        *problems,
        *check_values(model, ACTIVITIES, options),
        *check_feed_ids(model, ACTIVITIES, options),
        *_identity(model, declaration),
        *_extra_names(model, declaration),
        *check_extra(model, declaration.extra),
        *_sources(model, declaration),
    ]


def _identity(model: type[models.Model], declaration: ActivityDeclaration) -> list[CheckMessage]:
    if declaration.identity in (None, STREAM_DJANGO):
        return []
    return [
        Error(
            f"{model._meta.label}: Activity.identity is {declaration.identity!r}.",
            hint=f"It may be {STREAM_DJANGO!r}; otherwise leave it out.",
            obj=model,
            id="django_stream.E071",
        )
    ]


def _extra_names(model: type[models.Model], declaration: ActivityDeclaration) -> list[CheckMessage]:
    return [
        Warning(
            f"{model._meta.label}: Activity.extra names '{path}', which the API fills in itself.",
            hint="Pages have it in `activity.object`; or give it another name in extra_activity_data.",
            obj=model,
            id="django_stream.W043",
        )
        for path in declaration.extra
        if isinstance(path, str) and wire_name(path) in _OF_THE_API
    ]


def _sources(model: type[models.Model], declaration: ActivityDeclaration) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    for option, source in declaration.sources().items():
        if option.startswith("extra["):
            if broken := broken_segment(model, source):
                problems.append(_no_such_field(model, option, *broken))
        elif not _is_source(source):
            problems.append(_not_a_path(model, option, source))
        elif broken := broken_segment(model, source):
            problems.append(_no_such_field(model, option, *broken))
    for name in declaration.watch or ():
        if broken := broken_segment(model, name):
            problems.append(_no_such_field(model, "watch", *broken))
    return problems


def _is_source(value: object) -> bool:
    return callable(value) or isinstance(value, str)


def _no_such_field(
    model: type[models.Model], option: str, where: type[models.Model], name: str
) -> CheckMessage:
    fixed_feed = option == "to" and ":" in name
    hint = f"For a fixed feed: to = ['{name}']" if fixed_feed else did_you_mean(name, field_names(where))
    return Error(
        f"{model._meta.label}: Activity.{option} names '{name}', which {where._meta.label} does not have.",
        hint=hint,
        obj=model,
        id="django_stream.E002",
    )


def _not_a_path(
    model: type[models.Model],
    option: str,
    source: object,
    give: str = "Give the name of a field, a dotted path from one, or a callable that takes the instance",
) -> CheckMessage:
    return Error(
        f"{model._meta.label}: Activity.{option} is {source!r}.",
        hint=f"{give}.",
        obj=model,
        id="django_stream.E003",
    )


def check_defaults(model: type[models.Model], options: dict[str, Any]) -> list[CheckMessage]:
    """Actor and time have default fields; a model without them must say what to use."""
    problems: list[CheckMessage] = []
    actor_is_given = "actor" in options or _overrides(model, "activity_actor_attr", "activity_actor")
    if not actor_is_given and default_actor_is_missing(model):
        problems.append(_missing_default(model, "actor", "user"))
    time_is_given = "time" in options or _overrides(model, "activity_time")
    if not time_is_given and default_time_is_missing(model):
        problems.append(_missing_default(model, "time", "created_at"))
    return problems


def _overrides(model: type[models.Model], *names: str) -> bool:
    return represents_itself(model) and overrides(model, *names)


def _missing_default(model: type[models.Model], option: str, default: str) -> CheckMessage:
    return Error(
        f"{model._meta.label} does not say the {option} of its activities, and has no field '{default}'.",
        hint=f'Add `{option} = "<field>"` to its class Activity, or override activity_{option}.',
        obj=model,
        id="django_stream.E004",
    )

"""System checks of declarations, run by `manage.py check` and before every server start."""

from __future__ import annotations

import difflib
from dataclasses import fields
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning
from django.db import models

from django_stream.activities.checks.paths import check_paths, is_to_one, not_a_row
from django_stream.activities.declaration import check_declaration, declared, nearest, not_a_list
from django_stream.activities.managers import TrackedQuerySet
from django_stream.activities.mixins import (
    ActivityMixin,
    CollectionMixin,
    FollowMixin,
    ReactionMixin,
    TrackedModel,
    UserMixin,
)
from django_stream.activities.options import options_of
from django_stream.activities.paths import broken_segment, field_names, last_field
from django_stream.activities.publishers.follows import FollowDeclaration
from django_stream.activities.publishers.mirrors import MirrorDeclaration
from django_stream.activities.publishers.reactions import ReactionDeclaration
from django_stream.activities.registry import registered
from django_stream.activities.representation import (
    default_actor_is_missing,
    default_time_is_missing,
    overrides,
)

_INNER: dict[type[models.Model], tuple[str, type[Any]]] = {
    FollowMixin: ("Follows", FollowDeclaration),
    CollectionMixin: ("Collection", MirrorDeclaration),
    UserMixin: ("StreamUser", MirrorDeclaration),
    ReactionMixin: ("Reaction", ReactionDeclaration),
}
_PATHS = {
    "Follows": ("follower", "followed"),
    "Collection": ("fields",),
    "StreamUser": ("fields",),
    "Reaction": ("activity", "user", "fields", "to"),
}
# What must lead to one row, and not to text or to many.
_ROWS = {("Follows", "follower"), ("Follows", "followed"), ("Reaction", "activity")}


def check_activity_models(**_: Any) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    for model in apps.get_models():
        if issubclass(model, TrackedModel):
            problems += _check_manager(model) + _check_inner_names(model)
        if issubclass(model, ActivityMixin):
            problems += (
                check_declaration(model) + _check_defaults(model) + check_paths(model, declared(model))
            )
        for mixin, (inner, declaration) in _INNER.items():
            if issubclass(model, mixin):
                problems += check_inner_class(model, inner, declaration)
    for model, options in registered().items():
        problems += check_declaration(model, options)
        problems += _check_registered(model, options) + check_paths(model, options)
    return problems


def _check_registered(model: type[models.Model], options: dict[str, Any]) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    if "actor" not in options and default_actor_is_missing(model):
        problems.append(_missing_default(model, "actor", "user"))
    if "time" not in options and default_time_is_missing(model):
        problems.append(_missing_default(model, "time", "created_at"))
    return problems


def _check_inner_names(model: type[models.Model]) -> list[CheckMessage]:
    """A class whose name is nearly that of a declaration is one, misspelt."""
    valid = ["Activity", *(inner for inner, _ in _INNER.values())]
    problems: list[CheckMessage] = []
    for name, value in vars(model).items():
        near = difflib.get_close_matches(name, valid, n=1, cutoff=0.75)
        if isinstance(value, type) and near and name not in valid:
            problems.append(
                Warning(
                    f"{model._meta.label} has a class {name} that nothing reads.",
                    hint=f"Did you mean 'class {near[0]}'?",
                    obj=model,
                    id="django_stream.W041",
                )
            )
    return problems


def _check_manager(model: type[TrackedModel]) -> list[CheckMessage]:
    if isinstance(model._default_manager.get_queryset(), TrackedQuerySet):
        return []
    return [
        Warning(
            f"{model._meta.label}: bulk operations of its default manager do not reach the feeds.",
            hint="Derive its queryset from django_stream.activities.managers.TrackedQuerySet, "
            "or call republish() after them.",
            obj=model,
            id="django_stream.W040",
        )
    ]


def _check_defaults(model: type[ActivityMixin]) -> list[CheckMessage]:
    """Actor and time have defaults by name; a model without such fields must say what to use."""
    options = declared(model)
    problems: list[CheckMessage] = []
    if (
        "actor" not in options
        and default_actor_is_missing(model)
        and not overrides(model, "activity_actor_attr", "activity_actor")
    ):
        problems.append(_missing_default(model, "actor", "user"))
    if "time" not in options and default_time_is_missing(model) and not overrides(model, "activity_time"):
        problems.append(_missing_default(model, "time", "created_at"))
    return problems


def _missing_default(model: type[models.Model], option: str, default: str) -> CheckMessage:
    return Error(
        f"{model._meta.label} does not say the {option} of its activities, and has no field '{default}'.",
        hint=f'Add `{option} = "<field>"` to its class Activity, or override activity_{option}.',
        obj=model,
        id="django_stream.E004",
    )


def check_inner_class(model: type[models.Model], inner: str, declaration: type[Any]) -> list[CheckMessage]:
    """Options that do not exist, and paths that lead nowhere, in a class such as `class Follows`."""
    valid = {field.name: field.default for field in fields(declaration)}
    given = options_of(model, inner)
    problems: list[CheckMessage] = [
        Error(
            f"{model._meta.label}: class {inner} has no option '{name}'.",
            hint=nearest(name, list(valid)),
            obj=model,
            id="django_stream.E005",
        )
        for name in given
        if name not in valid
    ]
    for option in _PATHS[inner]:
        source = given.get(option, valid[option])
        if option == "fields" and isinstance(source, str):
            problems.append(not_a_list(model, f"{inner}.fields", source))
            continue
        for path in (source,) if isinstance(source, str) or callable(source) else source or ():
            if broken := broken_segment(model, path):
                problems.append(_leads_nowhere(model, f"{inner}.{option}", *broken))
            elif (inner, option) in _ROWS and (field := last_field(model, path)) and not is_to_one(field):
                problems.append(not_a_row(model, f"{inner}.{option}", path, field))
    return problems


def _leads_nowhere(
    model: type[models.Model], option: str, where: type[models.Model], name: str
) -> CheckMessage:
    return Error(
        f"{model._meta.label}: {option} names '{name}', which {where._meta.label} does not have.",
        hint=nearest(name, field_names(where)),
        obj=model,
        id="django_stream.E006",
    )

"""System checks of tracked models, run by `manage.py check` and before every server start."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning
from django.db import models

from django_stream.activities import kinds
from django_stream.activities.checks.activity_class import check_activity_options
from django_stream.activities.checks.inner_class import check_inner_class
from django_stream.activities.checks.values import check_properties
from django_stream.activities.managers import TrackedQuerySet
from django_stream.activities.options import options_of
from django_stream.activities.registry import Registration, registered
from django_stream.protocol.suggestions import similar_names
from django_stream.publishing.capture import wants_capture
from django_stream.publishing.publisher import publishers_of

# Most classes inside a model have nothing to do with us: only a name this close is a misspelt one.
_MISSPELT = 0.75


def check_tracked_models(**_: object) -> list[CheckMessage]:
    """All declarations of the project."""
    problems: list[CheckMessage] = []
    for model in apps.get_models():
        if kinds.kinds_of(model):
            problems += check_tracked_model(model)
    for registration in registered():
        problems += check_registered(registration)
    return problems


def check_registered(registration: Registration) -> list[CheckMessage]:
    """What was given to a call of `register` and its like."""
    kind, model, options, _ = registration
    return [
        *_check_replaced(registration),
        *_check_manager_of_others(model, kind),
        *_check_options(model, kind, options),
    ]


def _check_replaced(registration: Registration) -> list[CheckMessage]:
    """Of two declarations of one kind, only the later one would be heard."""
    kind, model, _, replaces = registration
    if not replaces:
        return []
    return [
        Error(
            f"{model._meta.label} is registered while class {kind.inner} or another call has declared "
            "something else: each row would mean only what the last one says.",
            hint="Declare it once; for a second activity of one row, call django_stream.tracking.record().",
            obj=model,
            id="django_stream.E073",
        )
    ]


def check_tracked_model(model: type[models.Model]) -> list[CheckMessage]:
    """The declarations of one model, for each kind that it is of."""
    problems = [*_check_manager(model), *_check_inner_names(model), *check_properties(model)]
    for kind in kinds.kinds_of(model):
        problems += _check_options(model, kind, options_of(model, kind.inner))
    return problems


def _check_options(
    model: type[models.Model], kind: kinds.TrackedKind, options: dict[str, Any]
) -> list[CheckMessage]:
    if kind is kinds.ACTIVITIES:
        return check_activity_options(model, options)
    return check_inner_class(model, kind, options)


def _check_inner_names(model: type[models.Model]) -> list[CheckMessage]:
    """A class whose name is nearly that of a declaration is a misspelt one."""
    valid = [kind.inner for kind in kinds.KINDS]
    return [
        Warning(
            f"{model._meta.label} has a class {name} that nothing reads.",
            hint=f"Did you mean 'class {similar[0]}'?",
            obj=model,
            id="django_stream.W041",
        )
        for name, value in vars(model).items()
        if isinstance(value, type)
        and name not in valid
        and (similar := similar_names(name, valid, at_least=_MISSPELT))
    ]


def _check_manager(model: type[models.Model]) -> list[CheckMessage]:
    if _sees_bulk_operations(model):
        return []
    return [
        Warning(
            f"{model._meta.label}: bulk operations of its default manager do not reach the feeds.",
            hint="Derive its queryset from django_stream.models.TrackedQuerySet, "
            "or call django_stream.tracking.republish() after them.",
            obj=model,
            id="django_stream.W040",
        )
    ]


def _check_manager_of_others(model: type[models.Model], kind: kinds.TrackedKind) -> list[CheckMessage]:
    if _sees_bulk_operations(model):
        return []
    return [
        Warning(
            f"{model._meta.label} is registered, and bulk operations on it (update(), bulk_create(), "
            "bulk_update(), imports) do not reach the feeds.",
            hint='Let the database note its changes: capture="database" in that call. Or call '
            "django_stream.tracking.republish(rows) after them, or run "
            f"`manage.py {kind.command} {model._meta.label}` now and then; "
            "then silence this check by SILENCED_SYSTEM_CHECKS.",
            obj=model,
            id="django_stream.W046",
        )
    ]


def _sees_bulk_operations(model: type[models.Model]) -> bool:
    if any(map(wants_capture, publishers_of(model))):
        return True
    return isinstance(model._default_manager.get_queryset(), TrackedQuerySet)
